"""What of a Rust program is not somebody's own code."""

from aiops_core import lazy_pattern

LIBRARY_PLACES = lazy_pattern(
    r"^/rustc/|[/\\]\.?cargo[/\\](?:registry|git)[/\\]|[/\\]rust(?:up|lib)?[/\\](?:registry|toolchains|src)[/\\]|/registry/src/|[/\\]vendor[/\\]"
    r"|[/\\]library[/\\](?:std|core|alloc|test|proc_macro)[/\\]src[/\\]|^(?:\./)?(?:csu|nptl|sysdeps|posix)/|/sysdeps/"
)
"""Parts of file names of the standard library and of dependencies."""
LIBRARIES = frozenset(
    (
        "__libc_start_call_main",
        "__libc_start_main",
        "__libc_start_main_impl",
        "__rust_begin_short_backtrace",
        "__rust_try",
        "__rustc",
        "_start",
        "actix_rt",
        "actix_server",
        "actix_web",
        "alloc",
        "anyhow",
        "axum",
        "backtrace",
        "clap",
        "clone",
        "clone3",
        "color_eyre",
        "core",
        "crossbeam",
        "diesel",
        "eyre",
        "futures",
        "futures_core",
        "futures_util",
        "h2",
        "hyper",
        "hyper_util",
        "lang_start",
        "log",
        "main",
        "mio",
        "proc_macro",
        "rayon",
        "rayon_core",
        "reqwest",
        "rocket",
        "rust_begin_unwind",
        "rustls",
        "serde",
        "serde_json",
        "sqlx_core",
        "start_thread",
        "std",
        "test",
        "tokio",
        "tokio_util",
        "tonic",
        "tower",
        "tower_http",
        "tracing",
        "warp",
        "<unknown>",
    )
)
"""Crates, for builds whose backtraces name no files."""
RAISING = lazy_pattern(
    r"(?:__rustc::)?rust_begin_unwind|rust_panic|(?:std|core)::panicking::|std::panic::|std::sys(?:_common)?::backtrace::"
    r"|std::backtrace|backtrace::|<?std::(?:sys|io)|<+std::sys|core::fmt|<core::fmt|std::sys_common|core::(?:option|result|slice|str)::\w*(?:_failed|_fail)\b"
    r"|std::io::|anyhow::|color_eyre::|eyre::|<E as anyhow|core::option::expect_failed|rust_oom|alloc::alloc::(?:rust_oom|handle_alloc_error)"
)
"""Functions that raise a panic or take a backtrace: no part of what went wrong."""
