//! Sums of products of small whole numbers.

/// Values that a vector unit takes at once.
pub(super) const VECTOR: usize = 8;

/// Σ row·query for a few rows, of lengths that are multiples of [`VECTOR`]; |row| ≤ 127, |query| ≤ 32,767, at most 512 of them.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
pub(super) fn products<const R: usize>(rows: [&[i8]; R], query: &[i16]) -> [i32; R] {
    use std::arch::wasm32::{i16x8, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane as lane, i32x4_splat};

    let query = query.as_chunks::<VECTOR>().0;
    let rows = rows.map(|row| &row.as_chunks::<VECTOR>().0[..query.len()]);
    let mut sums = [i32x4_splat(0); R];
    for (k, &[a, b, c, d, e, f, g, h]) in query.iter().enumerate() {
        let query = i16x8(a, b, c, d, e, f, g, h);
        for r in 0..R {
            // In this form one instruction loads and widens them. A loop over numbers would not become the one that multiplies
            // and adds pairs.
            let row = &rows[r][k];
            let row = i16x8(
                row[0].into(),
                row[1].into(),
                row[2].into(),
                row[3].into(),
                row[4].into(),
                row[5].into(),
                row[6].into(),
                row[7].into(),
            );
            sums[r] = i32x4_add(sums[r], i32x4_dot_i16x8(row, query));
        }
    }
    sums.map(|sum| {
        let [a, b, c, d] = [lane::<0>(sum), lane::<1>(sum), lane::<2>(sum), lane::<3>(sum)];
        a.wrapping_add(b).wrapping_add(c).wrapping_add(d)
    })
}

#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
pub(super) fn products<const R: usize>(rows: [&[i8]; R], query: &[i16]) -> [i32; R] {
    rows.map(|row| {
        let product = |(&a, &b): (&i8, &i16)| i32::from(a).wrapping_mul(i32::from(b));
        row.iter().zip(query).map(product).fold(0, i32::wrapping_add)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_sums_hold() {
        for length in [8, 16, 128, 512] {
            let rows: [Vec<i8>; 2] = [vec![-127; length], (0..length).map(|i| (i % 255) as i8).collect()];
            let query = vec![32_767; length];
            let expected = rows.each_ref().map(|row| row.iter().map(|&value| i64::from(value) * 32_767).sum::<i64>());
            let found = products(rows.each_ref().map(|row| &row[..]), &query);
            assert_eq!(found.map(i64::from), expected);
        }
    }
}
