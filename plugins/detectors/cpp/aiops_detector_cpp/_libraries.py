"""What of a native program is not somebody's own code."""

from __future__ import annotations

import re

from aiops_core import lazy_pattern

_FUNCTIONS = lazy_pattern(
    r"_*(?:interceptor|asan|msan|tsan|hwasan|lsan|ubsan|sanitizer|gwp_asan|scudo|cfi|wrap_(?:str|mem))_|_*(?:asan|msan|tsan|hwasan|lsan|ubsan|sanitizer|gwp_asan|scudo|fuzzer|centipede|libfuzzer_|std|__gnu_cxx|__cxxabiv1|testing|fuzztest)::"
    r"|_*(?:raise|abort|gsignal|kill|pthread_kill|pthread_kill_(?:internal|implementation)|tgkill|exit|_exit|_Exit|start|libc_\w+|libc|assert\w*|assert_fail\w*|assert_rtn|assert2|assert_perror_fail|stack_chk_fail|fortify_\w+|chk_fail|clone\d?|clone_internal|start_thread|start_context|pthread_\w+|thread_start|bionic_clone|restore_rt|kernel_rt_sigreturn|kernel_vsyscall|sigtramp|sigaction|libc_start_\w+|libc_message|libc_fatal|malloc_printerr|int_(?:free|malloc|realloc)\w*|malloc\w*|calloc|realloc\w*|free|cfree|posix_memalign|aligned_alloc|memalign|valloc|strdup|strndup"
    r"|mem(?:cpy|move|set|cmp|chr|mem|pcpy|rchr)\w*|str(?:n|l|r|case|ncase)?(?:cpy|cat|cmp|len|chr|str|pbrk|dup|tol|tod|toul|toull|spn|cspn|tok)\w*|v?(?:s|f|sn|as|d)?n?printf\w*|v?(?:s|f)?scanf\w*|wcs\w+|bcopy|bzero|bcmp|atoi|qsort\w*|bsearch|read|write|open|recv\w*|send\w*|poll|epoll_wait|select|nanosleep|usleep|sleep|wait4|waitpid|do_system|system|ioctl|mmap|munmap|backtrace\w*|dl_\w+|dls\d|getenv|sysmalloc|unlink_chunk|tcache_\w+|munmap_chunk|syscall|futex\w*|lll_lock\w*"
    r"|cxa_(?:throw|rethrow|pure_virtual|bad_\w+|call_terminate|call_unexpected|guard\w*)|gxx_personality\w*|Unwind_\w+|terminate|verbose_terminate_handler|demangling_terminate_handler|default_terminate_handler|objc_\w+|aeabi_\w+|gnu_\w+|libcpp_\w+|rust_\w+|dispatch_(?:call|client|lane|queue|main|worker|root)\w*|clang_call_terminate|HF_\w+)$"
    r"|operator (?:new|delete)|absl::(?:log_internal|raw_log_internal|debugging_internal|lts_\w+::log_internal|\w*[Ff]ailureSignal\w*)|google::(?:LogMessage|glog|Failure|DumpStack|logging)|logging::|base::(?:debug|internal::(?:Invoker|Functor|Bind\w*)|BindState|TaskAnnotator|ImmediateCrash|(?:\w+::)*OnceCallback|(?:\w+::)*RepeatingCallback)"
    r"|V8_(?:Fatal|Dcheck)|v8::base::(?:OS::Abort|FatalOOM|debug|\w*[Dd]check|ImmediateCrash)|v8::internal::(?:V8::FatalProcess|Isolate::PushStackTraceAndDie|__RT_impl_Runtime_Abort|Runtime_Abort|CheckedGet)|WTFCrash\w*|WTF::(?:VectorBuffer|RefPtr|scoped_refptr)|CrashIfAbort|ImmediateCrash|SkAbort|sk_abort|(?:Starboard|SbSystemBreakIntoDebugger)|starboard::|zx_|art::(?:Runtime::Abort|Thread::Run)|android::base::LogMessage|LogMessage\b|__android_log_\w+"
    r"|(?:Rtl|Nt|Zw|Ldr|Ki|Base|Kernel)[A-Z]\w+$|_CxxThrowException|(?:invoke|wmain|_*scrt)_\w+|__?tmainCRTStartup|BaseThreadInitThunk|LLVMFuzzerRunDriver|Honggfuzz\w+|afl_\w+|(?:RunningInThread|testing::internal)|fuzzer_main|_start$|__dls|process_start|CallStub|InvokeCallback$|~Cleanup$|\[?inlined?\]?$|SignalHandler|signal_handler|crash_handler|failure_signal_handler|[\w:]*StackTrace$|[\w:]*[Pp]rintStackTrace\w*|[\w:]*DumpStack\w*|[\w:]*PrintTrace\w*|llvm::sys::\w+|DIE|HandleFatal|Die$|[\w:]*~?LogMessage(?:Fatal)?$|[\w:]*LogMessage(?:Fatal)?::"
)
_FILES = lazy_pattern(
    r"/(?:build|usr/src(?:/debug)?|buildd)/[^\s]*(?:glibc|musl|gcc|llvm)|(?:\.\./)+(?:sysdeps|csu|nptl|stdlib|signal|libio|malloc|misc|debug|string|elf|posix|io|socket|src/libsanitizer|src/gcc|\.\./src)/|^\.?/?(?:sysdeps|csu|nptl)/|/sysdeps/|libsanitizer/|compiler-rt/|compiler_rt|/libFuzzer/|/libfuzzer/(?:src/)?Fuzzer|/usr/(?:lib/gcc|include|lib/llvm\S*)/|/include/c\+\+/|/c\+\+/v1/|include/c\+\+|libc\+\+/|libcxx(?:abi)?/|libstdc\+\+|/bits/(?:stl_|std_|invoke|unique|shared|vector|basic|move|alloc)|googletest/|gtest/|fuzztest/|/centipede/|honggfuzz/|bionic/|/vctools/|/ucrt/|minkernel|/f:\\dd\\|f:\\dd\\|base/(?:debug|logging|check|functional/bind|bind_internal|callback|immediate_crash)\w*[./]|/absl/(?:log|base/internal/raw_log|debugging)|platform-posix\.cc|/rustc/|afl_driver|aflplusplus|/wtf/Assertions"
)
_MODULES = lazy_pattern(
    r"(?:libc|libm|libpthread|librt|libdl|libstdc\+\+|libgcc_s|libc\+\+|libc\+\+abi|libc\+\+_shared|libasan|libubsan|libtsan|liblsan|ld-linux[\w-]*|ld-musl[\w-]*|ld|ld64|linux-vdso\d*|linux-gate|linker(?:64)?|libclang_rt[\w.-]*|libclang_rt|libart|libutils|liblog)(?:-[\d.]+)?(?:\.so|\.dylib|$)|libsystem_\w+|libdyld|libobjc|CoreFoundation|dyld|\[vdso\]|\[vsyscall\]"
    r"|(?:ntdll|kernel32|kernelbase|ucrtbase\w*|msvcrt|msvcp\w+|vcruntime\w+|verifier|user32|combase|rpcrt4)(?:\.dll)?$|<?libclang",
    re.IGNORECASE,
)


def is_library(function: str, file: str, module: str) -> bool:
    """Say whether a call is of the language, the system, a sanitizer or a crash handler."""
    if function and _FUNCTIONS.match(function):
        return True
    if file:
        return _FILES.search(file.replace("\\", "/")) is not None
    if not module or "unknown" in module:
        return not function
    return _MODULES.match(module) is not None
