"""Functions of kernels that say nothing about a problem, by what they do.

Names are without leading underscores; one that ends in ``*`` stands for all that begin so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

_REPORTING = """
bad_page bad_page_map assertfail schedule_bug umount_check trusty_app_exit app_mgr arm64_sync_exc* handle_exception_types dentry_warn* netdev_rx_csum_fault
asan* kasan* hwasan* msan* kmsan* kcsan* tsan* ubsan* kfence* sanitizer* kcov* write_comp_data check_kcov*
dump_stack* show_stack* show_regs* show_trace* show_backtrace show_opcodes dump_backtrace unwind_* walk_stackframe
dump_trace nmi* print_* warn warn_slowpath* warn_printf report_* fixup_bug panic vpanic panic_* check_panic_on_warn
end_report start_report describe_* add_taint oops_* die die_* notify_die do_trap* do_error_trap* do_invalid_op do_int3*
do_page_fault do_mem_abort do_debug_exception do_undefinstr do_translation_fault do_sp_pc_abort do_DataAbort
do_PrefetchAbort do_general_protection do_user_addr_fault do_kern_addr_fault do_divide_error do_bad_area do_alignment_fault
do_double_fault do_stack_segment do_kernel_fault do_el1* do_break do_bad do_tag_check_fault do_tag_recovery
invalid_op general_protection page_fault* async_page_fault divide_error stack_segment double_fault df_debug int3 debug
end_repeat_nmi error_entry error_code ret_from_exception ret_from_intr common_spurious spurious_* retint_* bad_area* bad_mode
asm_exc_* asm_sysvec_* asm_common_interrupt exc_* sysvec_* handle_bug handle_page_fault handle_exception handle_stack_overflow
no_context mm_fault_error fault_in_kernel_space kernelmode_fixup* crash_kexec* kgdb_* el0_dbg el0_da el0_ia el0_sync* el0_inv
el0_undef el1_* el1h_* el0t_* el1t_* bug_handler brk_handler call_break_hook break_handler dabt_* pabt_* und_* irq_invalid
vector_swi vectors fsr_* trap trap_* calltrap kdb_* db_trace* kassert_panic alltraps* assert_fail stack_chk_fail fortify*
exception_die exception_enter exception_exit platform_halt dump_thread x86_fatal_pfe_handler x86_pfe_handler call_dispatch_user_exception x86_exception_handler interrupt_common invalid_address* check_memory_region* memory_is_poisoned*
check_region* check_heap_object check_bogus* check_object_size check_kernel_text_object check_poison_obj check_slab check_object
check_bytes* check_prev* check_noncircular check_wait_context check_deadlock check_unmap check_sync check_usage* check_irq_usage
check_lock* check_redzone usercopy_* save_stack* stack_trace_save* stack_depot* set_track* save_trace init_object object_err
slab_err slab_bug slab_fix slab_pad* free_debug_processing alloc_debug_processing sysrq_* arch_trigger* trigger_*
printk* vprintk* v_printk console_unlock console_flush* wake_up_klogd* mark_lock* mark_usage mark_held_locks validate_chain*
valid_state add_lock* lock_acquire* lock_release* lock_downgrade lock_is_held* lock_acquired lock_contended lock_set_class
lock_pin* lock_unpin* register_lock_class assign_lock_key reacquire_held_locks find_held_lock match_held_lock look_up_lock_class
lookup_* static_obj lockdep* debug_* ref_tracker_* refcount_* trace_hardirqs* trace_softirqs* trace_irq* trace_event* trace_lock*
trace_preempt* trace_call_bpf trace_graph* ftrace_* perf_trace_* perf_tp_event* traceiter_* bpf_trace_run* bpf_prog_* bug
rcu_lockdep* task_switch_unlock usb_hcd_link_urb*
"""
_EVERYWHERE = """
switch_to ldsem_* tty_ldisc_lock* kvasprintf* kasprintf* dpm_* devres_* device_remove_file* device_unbind* drop_nlink inc_nlink mark_buffer_dirty
aes_encrypt aes_decrypt aes_enc* chacha_* poly1305_* sk_stop_timer* sk_reset_timer find_lock_entries find_get_pages* find_get_entries pagevec_* folio_batch_* add_uevent_var
kernel_fpu_* usb_kill_anchored_urbs usb_poison* do_softirq* handle_softirqs invoke_softirq flush_signal* release_sock i2c_del_adapter i2c_unregister* default_idle* acpi_idle* cpuidle_enter* arch_cpu_idle do_idle
raw_* do_raw_* spin_* read_lock* read_unlock* write_lock* write_unlock* rwlock_* seq_lock queued_* pv_* native_* arch_spin*
mutex_* ww_mutex* rt_mutex* down down_* up up_read up_write rwsem_* percpu_down* percpu_up* lock_sock* lock_timer_base
lock_hrtimer_base lock_page* lock_* unlock_* folio_lock* wait_* out_of_line_wait* bit_wait* io_schedule* folio_wait* wakeup_* wake_up*
try_to_wake_up ttwu_* autoremove_wake* default_wake_function prepare_to_wait* finish_wait add_wait_queue* remove_wait_queue* complete complete_*
do_wait_for_common swake_up* preempt_* schedule schedule_* context_switch cond_resched* might_* kthread_stop kthread_park
local_bh* local_irq* local_lock* irqentry_* irq_enter* irq_exit* irq_work* warn_bogus* arch_local* rcu_read* rcu_note* rcu_dynticks*
rcu_is* rcu_sched* rcu_eqs* rcu_nmi* rcu_irq* rcu_check* rcu_dump* rcu_sync_* rcu_preempt* rcu_exp* rcu_momentary* rcu_scheduler*
call_rcu* kvfree_call_rcu unregister_client device_for_each* i2c_for_each* seqprop* do_write_seq* u64_stats*
kmalloc* kzalloc* kcalloc* kvmalloc* kvzalloc* kvcalloc* krealloc* kfree kfree_sensitive kzfree kvfree kmem_* kmemdup* kstrdup* do_kmalloc* do_kmem*
slab_* new_slab allocate_slab cache_* cache_grow* cache_alloc* qlist_* quarantine_* qlink_* memcg_* vmalloc* vzalloc* vmap_* vunmap* vfree* vb_*
alloc_vmap* alloc_pages* alloc_page alloc_frozen* alloc_skb* alloc_percpu* alloc_large* get_free_pages* get_zeroed_page free_pages* free_page free_unref*
free_frozen* free_the_page put_page* get_page_from_freelist prep_new_page post_alloc_hook warn_alloc* devm_k* dma_alloc* dma_pool* dma_map*
pcpu_* mempool_* rmqueue* free_large_kmalloc kmemleak* create_object* object_* ksize netdev_alloc* napi_alloc* build_skb pskb_expand_head kmalloc_reserve
memcpy* memset* memmove* memcmp* memchr* memscan* memdup* memzero* strlen strnlen strcmp strncmp strcasecmp strncasecmp strcpy strncpy strlcpy strscpy* strcat
strncat strchr strrchr strnchr strstr strnstr strpbrk strsep strspn strcspn sized_str* bcmp snprintf vsnprintf sprintf vsprintf scnprintf vscnprintf string string_*
format_decode hex_* bin2hex pointer number symbol_string bitmap_* find_next* find_first* find_last* find_nth* test_bit* set_bit* clear_bit* change_bit*
test_and_* arch_test* arch_set* arch_clear* sw_hweight* crc32* csum_* xxh* jhash* siphash* copy_from* copy_to* copy_in_user* copy_user* copyin copyout
clear_user* get_user* put_user* instrument_* raw_copy* copy_page* copy_mc* iterate_* do_user* probe_kernel* skb_put* skb_push skb_pull* skb_over_panic
skb_under_panic skb_panic skb_copy_* skb_checksum* skb_release* skb_free* skb_unlink skb_queue* skb_dequeue* skb_clone skb_orphan* kfree_skb* consume_skb sk_skb_*
list_add* list_del* list_move* list_splice* list_empty* list_replace* list_lru* hlist_* rb_* xas_* xa_* radix_tree_* idr_* ida_* mas_* mtree_* klist_* plist_*
llist_* rht_* rhashtable_* assoc_array* interval_tree* atomic_* atomic64_* arch_atomic* xchg* cmpxchg* try_cmpxchg* read_once* write_once* read_word_at_a_time percpu_* this_cpu*
check_preemption_disabled smp_processor_id* kref_* kobject_* kset_* seqcount* fentry* return_to_handler entry_* do_syscall_* do_fast_syscall* el0_svc* invoke_syscall
ret_fast_syscall ret_from_* secondary_startup* sysenter* tracesys* cfi_* x86_return* x86_indirect*
queue_work* queue_delayed_work* flush_work* flush_delayed_work cancel_work* cancel_delayed_work* mod_delayed_work* try_to_grab_pending drain_workqueue destroy_workqueue start_flush_work flush_workqueue
work_is_static* timer_is_static* add_timer* del_timer* mod_timer* timer_delete* timer_shutdown* timer_fixup* try_to_del_timer* detach_* internal_add_timer enqueue_timer call_timer_fn init_timer*
hrtimer_start* hrtimer_cancel hrtimer_try* hrtimer_init* hrtimer_active hrtimer_forward hrtimer_reprogram* timerqueue_add
sock_put sock_hold sock_kfree* sock_wfree sock_kzfree* sock_wmalloc sock_alloc_send* notifier_* blocking_notifier* atomic_notifier* raw_notifier* srcu_notifier* device_del device_destroy device_release
device_unregister device_add device_register put_device get_device sysfs_* kernfs_* debugfs_* tty_unregister* proc_register proc_create* remove_proc* driver_detach
dput dentry_kill dentry_free iput fput path_put virt_to_* phys_addr pa_* flush_tlb* pte_* should_fail* fail_dump usb_submit_urb usb_kill_urb usb_start_wait* usb_bulk_msg usb_control_msg* usb_free_urb usb_anchor_urb
do_exit do_group_exit make_task_dead rewind_stack* apic_* smp_apic* update_process_times tick_* hrtimer_interrupt hrtimer_run* run_hrtimer scheduler_tick sched_tick print_cpu_stall* check_cpu_stall watchdog_* is_softlockup
handle_irq* generic_handle* handle_percpu* gic_* arch_timer* handle_domain* common_interrupt do_IRQ handle_edge* handle_fasteoi* handle_level* call_on_* do_interrupt_handler generic_exec* csd_* slub* page_to_*
nop_mcount mcount put_cred put_task* get_task*
"""
_DISPATCHING = """
process_one_work process_scheduled_works worker_thread kthread smpboot_thread_fn do_syscall_* do_fast_syscall* entry_* sysenter* tracesys* el0_svc* invoke_syscall ret_fast_syscall ret_from_*
sys_ioctl sys_write sys_read sys_pwrite* sys_pread* sys_writev sys_readv sys_sendmsg sys_sendto sys_sendmmsg sys_sendfile* sys_splice sys_bpf sys_setsockopt sys_recvfrom do_vfs_ioctl vfs_ioctl file_ioctl
vfs_read vfs_write vfs_readv vfs_writev vfs_iter* vfs_fallocate vfs_fsync* do_iter_* do_loop_* do_readv* do_writev* new_sync_* call_read_iter call_write_iter
sock_sendmsg* sock_write_iter sock_read_iter sock_recvmsg* sock_ioctl sock_do_ioctl sock_close sock_release netlink_rcv_skb netlink_unicast* netlink_sendmsg netlink_dump rtnetlink_rcv* nfnetlink_rcv* genl_*
netif_receive* process_backlog napi_poll* net_rx_action do_softirq* invoke_softirq handle_softirqs call_timer_fn expire_timers run_timers* run_timer_softirq run_hrtimer hrtimer_run* hrtimer_interrupt
run_ksoftirqd start_secondary cpu_startup_entry do_idle cpuidle* tasklet_action* rcu_core* rcu_do_batch rcu_process* fput task_work_run exit_to_user* handle_mm_fault do_fault mmap_region seq_read*
"""
_INTERRUPTING = """
apic_timer_interrupt smp_apic_timer_interrupt trace_apic_timer* smp_trace_apic_timer* asm_exc_page_fault page_fault async_page_fault asm_sysvec_* sysvec_* reschedule_interrupt irq_svc irq_usr el1_irq el1h_64_irq* el0_irq el0t_64_irq* common_interrupt asm_common_interrupt timer_interrupt
decrementer_common* ret_from_intr call_function_single_interrupt call_function_interrupt
"""

Matches = Callable[[str], bool]


def _matcher(names: str) -> Matches:
    words = [name.lstrip("_") for name in names.split()]
    whole = frozenset(word for word in words if not word.endswith("*"))
    starts = tuple(word[:-1] for word in words if word.endswith("*"))

    @lru_cache(maxsize=4096)
    def matches(function: str) -> bool:
        name = function.lstrip("_")
        return name in whole or name.startswith(starts)

    return matches


is_reporting = _matcher(_REPORTING)
"""Say whether the function only reports: it is never to blame."""
is_everywhere = _matcher(_EVERYWHERE)
"""Say whether the function is called from everywhere: blamed only when nothing better is there."""
is_dispatching = _matcher(_DISPATCHING)
"""Say whether the function calls what was asked for: in a stall, what it called is at work."""
is_interrupting = _matcher(_INTERRUPTING)
"""Say whether the calls within the function are of an interrupt that only looked at what ran."""
