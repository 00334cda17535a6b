;; The smallest plugin there can be, without a language: it drops every second event of a batch.
;;
;; Assembled, given the world `plugin` and wrapped as a component (see docs/plugin-component.md), it is a
;; plugin like any other. Everything is a number here, so this is also the contract as it is on the wire.
(module
  ;; From here on the plugin works on this event.
  (import "weir:plugin/report@0.1.0" "in-hand" (func $in_hand (param i32)))
  ;; The event's index, what became of it (0 unchanged, 1 passed, 2 dropped, 3 failed), and room for the
  ;; largest of what goes with that: a failure and a text.
  (import "weir:plugin/report@0.1.0" "finished"
    (func $finished (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))

  (memory (export "memory") 2)

  ;; At 0: what `call` returns, a success without a value. At 64: what `describe` returns, three lists as
  ;; (address, length): one method, no schedules, no jobs. At 96: that list, of one text. At 104: the text.
  (data (i32.const 64) "\60\00\00\00\01\00\00\00" "\60\00\00\00\00\00\00\00" "\60\00\00\00\00\00\00\00")
  (data (i32.const 96) "\68\00\00\00\0c\00\00\00" "processEvent")

  (global $heap i32 (i32.const 1024))
  (global $free (mut i32) (i32.const 1024))

  ;; The host asks for room for what it passes in.
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32)
    (local $at i32)
    ;; Rounded up to the alignment, a power of two.
    (local.set $at
      (i32.and
        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $free) (i32.mul (memory.size) (i32.const 65536)))
      (then
        (if (i32.eq
              (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1)))
              (i32.const -1))
          (then unreachable))))
    (memory.copy (local.get $at) (local.get $old) (local.get $old_size))
    (local.get $at))

  (func (export "describe") (result i32)
    (i32.const 64))

  ;; The batch: where its events are and how many. Each takes 16 bytes: the address and length of its JSON,
  ;; and the key that orders it. This plugin reads none of them.
  (func (export "process-batch") (param $events i32) (param $count i32)
    (local $index i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $index) (local.get $count)))
        (call $in_hand (local.get $index))
        (call $finished
          (local.get $index)
          (select
            (i32.const 2)
            (i32.const 0)
            (i32.eq
              (i32.and (local.get $index) (i32.const 1))
              (i32.const 1 ;; the odd ones
              )))
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $next)))
    ;; The batch is not needed any more.
    (global.set $free (global.get $heap)))

  ;; Which function (0 is `setup`), and room for the largest of their arguments: two texts.
  (func (export "call") (param i32 i32 i32 i32 i32) (result i32)
    (global.set $free (global.get $heap))
    (i32.const 0)))
