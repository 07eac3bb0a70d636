"""What of a Dart program is not somebody's own code."""

from __future__ import annotations

from aiops_core import lazy_pattern

_PACKAGES = frozenset(
    [
        "angular",
        "args",
        "async",
        "async_helper",
        "bloc",
        "boolean_selector",
        "build",
        "build_runner",
        "built_collection",
        "built_value",
        "cached_network_image",
        "characters",
        "chopper",
        "collection",
        "conduit",
        "convert",
        "cross_file",
        "crypto",
        "cupertino_icons",
        "dart_frog",
        "dart_style",
        "dartz",
        "dev_compiler",
        "dio",
        "drift",
        "equatable",
        "fake_async",
        "fast_immutable_collections",
        "file",
        "firebase_auth",
        "firebase_core",
        "firebase_crashlytics",
        "firebase_messaging",
        "flame",
        "flutter",
        "flutter_bloc",
        "flutter_driver",
        "flutter_hooks",
        "flutter_localizations",
        "flutter_riverpod",
        "flutter_test",
        "flutter_tools",
        "flutter_web_plugins",
        "freezed_annotation",
        "get",
        "get_it",
        "go_router",
        "google_fonts",
        "graphql",
        "grpc",
        "hive",
        "hooks_riverpod",
        "http",
        "http2",
        "http_parser",
        "hydrated_bloc",
        "image",
        "integration_test",
        "intl",
        "isar",
        "json_annotation",
        "json_rpc_2",
        "logger",
        "logging",
        "matcher",
        "material_color_utilities",
        "meta",
        "mime",
        "mobx",
        "mockito",
        "mocktail",
        "mysql1",
        "nested",
        "objectbox",
        "path",
        "path_provider",
        "platform",
        "pool",
        "postgres",
        "protobuf",
        "provider",
        "quiver",
        "redux",
        "riverpod",
        "rxdart",
        "sentry",
        "sentry_flutter",
        "serverpod",
        "shared_preferences",
        "shelf",
        "shelf_router",
        "shelf_static",
        "sky_engine",
        "source_span",
        "sqflite",
        "sqflite_common",
        "sqlite3",
        "stack_trace",
        "state_notifier",
        "stream_channel",
        "stream_transform",
        "string_scanner",
        "synchronized",
        "term_glyph",
        "test",
        "test_api",
        "test_core",
        "typed_data",
        "url_launcher",
        "uuid",
        "vector_math",
        "vm_service",
        "web_socket_channel",
        "webview_flutter",
        "win32",
        "xml",
        "yaml",
    ]
)
_FILES = lazy_pattern(
    r"dart:|org-dartlang-sdk:|(?:.*/)?dart-sdk/|.*/\.pub-cache/|.*/Pub/Cache/|.*/third_party/dart/"
    r"|.*/flutter/(?:packages|bin/cache)/|.*\bdart_sdk\.js|<anonymous>$|unknown$",
)
_PACKAGE = lazy_pattern(
    r"(?:package:|(?:https?://[^/]+/)?packages/)(?P<package>[\w.-]+)|dart:(?P<library>\w+)"
)
_RUNTIME = lazy_pattern(r"_kDartVmSnapshot|_kDartVm|dart::|_start\b|_startIsolate\b|_RawReceivePort|_rootRun")


def is_library(function: str, file: str) -> bool:
    """Say whether a call is of the language, its tools, Flutter or a well-known package."""
    if (package := package_of(file)) and not file.startswith("dart:"):
        return package in _PACKAGES
    return _FILES.match(file) is not None or (not file and _RUNTIME.match(function) is not None)


def package_of(file: str) -> str:
    """Return the package, or the library of the language, that a file is of."""
    if (found := _PACKAGE.match(file)) is None:
        return ""
    return found["package"] or f"dart:{found['library']}"
