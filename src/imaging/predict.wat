;; The horizontal predictor of TIFF 6.0, section 14: every sample except those of the first pixel of
;; a row is replaced by its difference from the same band of the pixel to its left, modulo the
;; sample's range. The operation is in place, so each row is processed from its end. $at is the
;; address of the first row, $stride the distance between rows, $length the number of bytes in a row
;; that hold samples, $step the number of bytes in a pixel. Assembled by
;; scripts/build-webassembly.ts.
(module
  (memory (export "memory") 1)

  (func (export "predict8") (param $at i32) (param $rows i32) (param $stride i32) (param $length i32) (param $step i32)
    (local $p i32) (local $first i32)
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $first (i32.add (local.get $at) (local.get $step)))
        (local.set $p (i32.add (local.get $at) (local.get $length)))
        (block $rest
          (loop $sixteen
            (br_if $rest (i32.lt_u (i32.sub (local.get $p) (local.get $first)) (i32.const 16)))
            (local.set $p (i32.sub (local.get $p) (i32.const 16)))
            (v128.store (local.get $p)
              (i8x16.sub
                (v128.load (local.get $p))
                (v128.load (i32.sub (local.get $p) (local.get $step)))))
            (br $sixteen)))
        (block $end
          (loop $each
            (br_if $end (i32.le_u (local.get $p) (local.get $first)))
            (local.set $p (i32.sub (local.get $p) (i32.const 1)))
            (i32.store8 (local.get $p)
              (i32.sub
                (i32.load8_u (local.get $p))
                (i32.load8_u (i32.sub (local.get $p) (local.get $step)))))
            (br $each)))
        (local.set $at (i32.add (local.get $at) (local.get $stride)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $row))))

  (func (export "predict16") (param $at i32) (param $rows i32) (param $stride i32) (param $length i32) (param $step i32)
    (local $p i32) (local $first i32)
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $first (i32.add (local.get $at) (local.get $step)))
        (local.set $p (i32.add (local.get $at) (local.get $length)))
        (block $rest
          (loop $eight
            (br_if $rest (i32.lt_u (i32.sub (local.get $p) (local.get $first)) (i32.const 16)))
            (local.set $p (i32.sub (local.get $p) (i32.const 16)))
            (v128.store (local.get $p)
              (i16x8.sub
                (v128.load (local.get $p))
                (v128.load (i32.sub (local.get $p) (local.get $step)))))
            (br $eight)))
        (block $end
          (loop $each
            (br_if $end (i32.le_u (local.get $p) (local.get $first)))
            (local.set $p (i32.sub (local.get $p) (i32.const 2)))
            (i32.store16 (local.get $p)
              (i32.sub
                (i32.load16_u (local.get $p))
                (i32.load16_u (i32.sub (local.get $p) (local.get $step)))))
            (br $each)))
        (local.set $at (i32.add (local.get $at) (local.get $stride)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $row)))))
