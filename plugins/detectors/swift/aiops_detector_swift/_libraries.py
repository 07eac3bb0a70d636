"""What of a Swift program is not somebody's own code."""

from __future__ import annotations

from aiops_core import lazy_pattern

_MODULES = lazy_pattern(
    r"libswift\w*|libSwift\w*|libc(?:\+\+\w*)?\b|libm\b|libpthread|libdispatch|libdyld|dyld|libobjc|libsystem_\w+|libFoundation|libBlocksRuntime|ld-linux|libstdc\+\+|libXCTest"
    r"|(?:CoreFoundation|Foundation|UIKit(?:Core)?|SwiftUI(?:Core)?|AppKit|GraphicsServices|QuartzCore|CoreData|CoreGraphics|CoreAutoLayout|AttributeGraph|Combine|CFNetwork|XCTest\w*|FrontBoardServices|BackBoardServices|RunningBoardServices|BaseBoard|Network|MediaToolbox|AVFoundation|AVFCore|WebKit|JavaScriptCore)$"
)
_FILES = lazy_pattern(
    r"^Swift/|^_\w+/|/swift/stdlib/|\.build/checkouts/|/SourcePackages/checkouts/|/swift-corelibs-|/usr/(?:lib|include)/|/build/(?:swift|glibc)|^/?<compiler-generated>|/Pods/|/Carthage/"
)
_FUNCTIONS = lazy_pattern(
    r"_?swift_|swift::|0x[0-9a-f]+$|<unavailable>|_swift_stdlib|_assertionFailure|_fatalErrorMessage|_preconditionFailure|fatalError\b|Swift\.|\$s[Ss]|\$ss\d|__exceptionPreprocess|objc_|_objc_|__?start$|start$|abort$|raise$|__pthread_kill|main$|__libc_start|thread_start|closure #\d+ in static \w+\.\$main|llvm::|\+?\[?-?\[NS(?:Exception|AssertionHandler)\b"
)


def is_library(function: str, file: str, module: str) -> bool:
    """Say whether a call is of the language, the system or a dependency."""
    if file and _FILES.search(file):
        return True
    if function and _FUNCTIONS.match(function) and not file:
        return True
    return _MODULES.match(module) is not None
