;; Halves pairs of rows of 8-bit pixels: every output sample is the mean of 2 x 2 input samples,
;; rounded half up. $a and $b are the upper and lower input row, $o the output row, $n its length in
;; pixels. The caller lays out the memory. Assembled by scripts/build-webassembly.ts.
(module
  (memory (export "memory") 1)

  ;; (a + b + c + d + 2) >> 2 for the low eight lanes of four vectors of bytes
  (func $meanLow (param $ae v128) (param $ao v128) (param $be v128) (param $bo v128) (result v128)
    (i16x8.shr_u
      (i16x8.add
        (i16x8.add (i16x8.extend_low_i8x16_u (local.get $ae)) (i16x8.extend_low_i8x16_u (local.get $ao)))
        (i16x8.add
          (i16x8.add (i16x8.extend_low_i8x16_u (local.get $be)) (i16x8.extend_low_i8x16_u (local.get $bo)))
          (i16x8.splat (i32.const 2))))
      (i32.const 2)))

  (func $meanHigh (param $ae v128) (param $ao v128) (param $be v128) (param $bo v128) (result v128)
    (i16x8.shr_u
      (i16x8.add
        (i16x8.add (i16x8.extend_high_i8x16_u (local.get $ae)) (i16x8.extend_high_i8x16_u (local.get $ao)))
        (i16x8.add
          (i16x8.add (i16x8.extend_high_i8x16_u (local.get $be)) (i16x8.extend_high_i8x16_u (local.get $bo)))
          (i16x8.splat (i32.const 2))))
      (i32.const 2)))

  ;; One output sample; `$step` is the distance to the sample of the right-hand pixel in bytes.
  (func $one (param $a i32) (param $b i32) (param $o i32) (param $step i32)
    (i32.store8 (local.get $o)
      (i32.shr_u
        (i32.add
          (i32.add
            (i32.add (i32.load8_u (local.get $a)) (i32.load8_u (i32.add (local.get $a) (local.get $step))))
            (i32.add (i32.load8_u (local.get $b)) (i32.load8_u (i32.add (local.get $b) (local.get $step)))))
          (i32.const 2))
        (i32.const 2))))

  (func (export "halveRgb") (param $a i32) (param $b i32) (param $o i32) (param $n i32)
    (local $a0 v128) (local $a1 v128) (local $b0 v128) (local $b1 v128)
    (local $ae v128) (local $ao v128) (local $be v128) (local $bo v128)
    ;; Each iteration computes four output pixels from eight input pixels. Loads and the store
    ;; extend four bytes beyond them, so at least six output pixels must remain.
    (block $rest
      (loop $four
        (br_if $rest (i32.lt_u (local.get $n) (i32.const 6)))
        (local.set $a0 (v128.load (local.get $a)))
        (local.set $a1 (v128.load offset=12 (local.get $a)))
        (local.set $b0 (v128.load (local.get $b)))
        (local.set $b1 (v128.load offset=12 (local.get $b)))
        (local.set $ae
          (i8x16.shuffle 0 1 2 6 7 8 16 17 18 22 23 24 0 0 0 0 (local.get $a0) (local.get $a1)))
        (local.set $ao
          (i8x16.shuffle 3 4 5 9 10 11 19 20 21 25 26 27 0 0 0 0 (local.get $a0) (local.get $a1)))
        (local.set $be
          (i8x16.shuffle 0 1 2 6 7 8 16 17 18 22 23 24 0 0 0 0 (local.get $b0) (local.get $b1)))
        (local.set $bo
          (i8x16.shuffle 3 4 5 9 10 11 19 20 21 25 26 27 0 0 0 0 (local.get $b0) (local.get $b1)))
        (v128.store (local.get $o)
          (i8x16.narrow_i16x8_u
            (call $meanLow (local.get $ae) (local.get $ao) (local.get $be) (local.get $bo))
            (call $meanHigh (local.get $ae) (local.get $ao) (local.get $be) (local.get $bo))))
        (local.set $a (i32.add (local.get $a) (i32.const 24)))
        (local.set $b (i32.add (local.get $b) (i32.const 24)))
        (local.set $o (i32.add (local.get $o) (i32.const 12)))
        (local.set $n (i32.sub (local.get $n) (i32.const 4)))
        (br $four)))
    (block $done
      (loop $each
        (br_if $done (i32.eqz (local.get $n)))
        (call $one (local.get $a) (local.get $b) (local.get $o) (i32.const 3))
        (call $one
          (i32.add (local.get $a) (i32.const 1)) (i32.add (local.get $b) (i32.const 1))
          (i32.add (local.get $o) (i32.const 1)) (i32.const 3))
        (call $one
          (i32.add (local.get $a) (i32.const 2)) (i32.add (local.get $b) (i32.const 2))
          (i32.add (local.get $o) (i32.const 2)) (i32.const 3))
        (local.set $a (i32.add (local.get $a) (i32.const 6)))
        (local.set $b (i32.add (local.get $b) (i32.const 6)))
        (local.set $o (i32.add (local.get $o) (i32.const 3)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $each))))

  (func (export "halveGrey") (param $a i32) (param $b i32) (param $o i32) (param $n i32)
    (block $rest
      (loop $sixteen
        (br_if $rest (i32.lt_u (local.get $n) (i32.const 16)))
        (v128.store (local.get $o)
          (i8x16.narrow_i16x8_u
            (i16x8.shr_u
              (i16x8.add
                (i16x8.add
                  (i16x8.extadd_pairwise_i8x16_u (v128.load (local.get $a)))
                  (i16x8.extadd_pairwise_i8x16_u (v128.load (local.get $b))))
                (i16x8.splat (i32.const 2)))
              (i32.const 2))
            (i16x8.shr_u
              (i16x8.add
                (i16x8.add
                  (i16x8.extadd_pairwise_i8x16_u (v128.load offset=16 (local.get $a)))
                  (i16x8.extadd_pairwise_i8x16_u (v128.load offset=16 (local.get $b))))
                (i16x8.splat (i32.const 2)))
              (i32.const 2))))
        (local.set $a (i32.add (local.get $a) (i32.const 32)))
        (local.set $b (i32.add (local.get $b) (i32.const 32)))
        (local.set $o (i32.add (local.get $o) (i32.const 16)))
        (local.set $n (i32.sub (local.get $n) (i32.const 16)))
        (br $sixteen)))
    (block $done
      (loop $each
        (br_if $done (i32.eqz (local.get $n)))
        (call $one (local.get $a) (local.get $b) (local.get $o) (i32.const 1))
        (local.set $a (i32.add (local.get $a) (i32.const 2)))
        (local.set $b (i32.add (local.get $b) (i32.const 2)))
        (local.set $o (i32.add (local.get $o) (i32.const 1)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $each)))))
