//! Where Java's multi-byte character sets and those of the Encoding Standard differ.
//!
//! The Encoding Standard's decoders read what browsers read; Debezium writes what Java reads. Source: every code of
//! one to three bytes through both. A code is its bytes as a number; each table is in the order of the codes.

/// Codes, and the characters that Java has for them.
pub(super) type Differences = [(u32, char)];

/// How many bytes the character at the front has, as far as the first bytes tell.
pub(super) type Unit = fn(&[u8]) -> usize;

/// Shift JIS: one byte below 0x81, half-width kana in the middle, else two.
pub(super) fn shift_jis(bytes: &[u8]) -> usize {
    match bytes {
        [0x81..=0x9f | 0xe0..=0xfc, _, ..] => 2,
        _ => 1,
    }
}

/// EUC: a single shift before two bytes, or none.
pub(super) fn euc_jp(bytes: &[u8]) -> usize {
    match bytes {
        [0x8f, _, _, ..] => 3,
        [0x80..=0xff, _, ..] => 2,
        _ => 1,
    }
}

/// The Chinese and Korean sets: four bytes where a digit stands in the second place, else two.
pub(super) fn double_byte(bytes: &[u8]) -> usize {
    match bytes {
        [0x81..=0xff, b'0'..=b'9', _, _, ..] => 4,
        [0x81..=0xff, _, ..] => 2,
        _ => 1,
    }
}

/// big5.
#[rustfmt::skip]
pub(super) static BIG5: &Differences = &[
    (0xa145, '\u{2022}'), (0xa14e, '\u{ff64}'), (0xa15a, '\u{ff3f}'), (0xa1c2, '\u{203e}'), (0xa1e3, '\u{223c}'),
    (0xa1f2, '\u{2641}'), (0xa1f3, '\u{2609}'), (0xa1fe, '\u{2571}'), (0xa240, '\u{2572}'), (0xa241, '\u{ff0f}'),
    (0xa242, '\u{ff3c}'), (0xa244, '\u{a5}'), (0xa246, '\u{a2}'), (0xa247, '\u{a3}'), (0xc6a1, '\u{30fe}'),
    (0xc6a2, '\u{309d}'), (0xc6a3, '\u{309e}'), (0xc6a4, '\u{3005}'), (0xc6a5, '\u{3041}'), (0xc6a6, '\u{3042}'),
    (0xc6a7, '\u{3043}'), (0xc6a8, '\u{3044}'), (0xc6a9, '\u{3045}'), (0xc6aa, '\u{3046}'), (0xc6ab, '\u{3047}'),
    (0xc6ac, '\u{3048}'), (0xc6ad, '\u{3049}'), (0xc6ae, '\u{304a}'), (0xc6af, '\u{304b}'), (0xc6b0, '\u{304c}'),
    (0xc6b1, '\u{304d}'), (0xc6b2, '\u{304e}'), (0xc6b3, '\u{304f}'), (0xc6b4, '\u{3050}'), (0xc6b5, '\u{3051}'),
    (0xc6b6, '\u{3052}'), (0xc6b7, '\u{3053}'), (0xc6b8, '\u{3054}'), (0xc6b9, '\u{3055}'), (0xc6ba, '\u{3056}'),
    (0xc6bb, '\u{3057}'), (0xc6bc, '\u{3058}'), (0xc6bd, '\u{3059}'), (0xc6be, '\u{305a}'), (0xc6bf, '\u{305b}'),
    (0xc6c0, '\u{305c}'), (0xc6c1, '\u{305d}'), (0xc6c2, '\u{305e}'), (0xc6c3, '\u{305f}'), (0xc6c4, '\u{3060}'),
    (0xc6c5, '\u{3061}'), (0xc6c6, '\u{3062}'), (0xc6c7, '\u{3063}'), (0xc6c8, '\u{3064}'), (0xc6c9, '\u{3065}'),
    (0xc6ca, '\u{3066}'), (0xc6cb, '\u{3067}'), (0xc6cc, '\u{3068}'), (0xc6cd, '\u{3069}'), (0xc6ce, '\u{306a}'),
    (0xc6cf, '\u{306b}'), (0xc6d0, '\u{306c}'), (0xc6d1, '\u{306d}'), (0xc6d2, '\u{306e}'), (0xc6d3, '\u{306f}'),
    (0xc6d4, '\u{3070}'), (0xc6d5, '\u{3071}'), (0xc6d6, '\u{3072}'), (0xc6d7, '\u{3073}'), (0xc6d8, '\u{3074}'),
    (0xc6d9, '\u{3075}'), (0xc6da, '\u{3076}'), (0xc6db, '\u{3077}'), (0xc6dc, '\u{3078}'), (0xc6dd, '\u{3079}'),
    (0xc6de, '\u{307a}'), (0xc6df, '\u{307b}'), (0xc6e0, '\u{307c}'), (0xc6e1, '\u{307d}'), (0xc6e2, '\u{307e}'),
    (0xc6e3, '\u{307f}'), (0xc6e4, '\u{3080}'), (0xc6e5, '\u{3081}'), (0xc6e6, '\u{3082}'), (0xc6e7, '\u{3083}'),
    (0xc6e8, '\u{3084}'), (0xc6e9, '\u{3085}'), (0xc6ea, '\u{3086}'), (0xc6eb, '\u{3087}'), (0xc6ec, '\u{3088}'),
    (0xc6ed, '\u{3089}'), (0xc6ee, '\u{308a}'), (0xc6ef, '\u{308b}'), (0xc6f0, '\u{308c}'), (0xc6f1, '\u{308d}'),
    (0xc6f2, '\u{308e}'), (0xc6f3, '\u{308f}'), (0xc6f4, '\u{3090}'), (0xc6f5, '\u{3091}'), (0xc6f6, '\u{3092}'),
    (0xc6f7, '\u{3093}'), (0xc6f8, '\u{30a1}'), (0xc6f9, '\u{30a2}'), (0xc6fa, '\u{30a3}'), (0xc6fb, '\u{30a4}'),
    (0xc6fc, '\u{30a5}'), (0xc6fd, '\u{30a6}'), (0xc6fe, '\u{30a7}'), (0xc740, '\u{30a8}'), (0xc741, '\u{30a9}'),
    (0xc742, '\u{30aa}'), (0xc743, '\u{30ab}'), (0xc744, '\u{30ac}'), (0xc745, '\u{30ad}'), (0xc746, '\u{30ae}'),
    (0xc747, '\u{30af}'), (0xc748, '\u{30b0}'), (0xc749, '\u{30b1}'), (0xc74a, '\u{30b2}'), (0xc74b, '\u{30b3}'),
    (0xc74c, '\u{30b4}'), (0xc74d, '\u{30b5}'), (0xc74e, '\u{30b6}'), (0xc74f, '\u{30b7}'), (0xc750, '\u{30b8}'),
    (0xc751, '\u{30b9}'), (0xc752, '\u{30ba}'), (0xc753, '\u{30bb}'), (0xc754, '\u{30bc}'), (0xc755, '\u{30bd}'),
    (0xc756, '\u{30be}'), (0xc757, '\u{30bf}'), (0xc758, '\u{30c0}'), (0xc759, '\u{30c1}'), (0xc75a, '\u{30c2}'),
    (0xc75b, '\u{30c3}'), (0xc75c, '\u{30c4}'), (0xc75d, '\u{30c5}'), (0xc75e, '\u{30c6}'), (0xc75f, '\u{30c7}'),
    (0xc760, '\u{30c8}'), (0xc761, '\u{30c9}'), (0xc762, '\u{30ca}'), (0xc763, '\u{30cb}'), (0xc764, '\u{30cc}'),
    (0xc765, '\u{30cd}'), (0xc766, '\u{30ce}'), (0xc767, '\u{30cf}'), (0xc768, '\u{30d0}'), (0xc769, '\u{30d1}'),
    (0xc76a, '\u{30d2}'), (0xc76b, '\u{30d3}'), (0xc76c, '\u{30d4}'), (0xc76d, '\u{30d5}'), (0xc76e, '\u{30d6}'),
    (0xc76f, '\u{30d7}'), (0xc770, '\u{30d8}'), (0xc771, '\u{30d9}'), (0xc772, '\u{30da}'), (0xc773, '\u{30db}'),
    (0xc774, '\u{30dc}'), (0xc775, '\u{30dd}'), (0xc776, '\u{30de}'), (0xc777, '\u{30df}'), (0xc778, '\u{30e0}'),
    (0xc779, '\u{30e1}'), (0xc77a, '\u{30e2}'), (0xc77b, '\u{30e3}'), (0xc77c, '\u{30e4}'), (0xc77d, '\u{30e5}'),
    (0xc77e, '\u{30e6}'), (0xc7a1, '\u{30e7}'), (0xc7a2, '\u{30e8}'), (0xc7a3, '\u{30e9}'), (0xc7a4, '\u{30ea}'),
    (0xc7a5, '\u{30eb}'), (0xc7a6, '\u{30ec}'), (0xc7a7, '\u{30ed}'), (0xc7a8, '\u{30ee}'), (0xc7a9, '\u{30ef}'),
    (0xc7aa, '\u{30f0}'), (0xc7ab, '\u{30f1}'), (0xc7ac, '\u{30f2}'), (0xc7ad, '\u{30f3}'), (0xc7ae, '\u{30f4}'),
    (0xc7af, '\u{30f5}'), (0xc7b0, '\u{30f6}'), (0xc7b1, '\u{414}'), (0xc7b2, '\u{415}'), (0xc7b3, '\u{401}'),
    (0xc7b4, '\u{416}'), (0xc7b5, '\u{417}'), (0xc7b6, '\u{418}'), (0xc7b7, '\u{419}'), (0xc7b8, '\u{41a}'),
    (0xc7b9, '\u{41b}'), (0xc7ba, '\u{41c}'), (0xc7bb, '\u{423}'), (0xc7bc, '\u{424}'), (0xc7bd, '\u{425}'),
    (0xc7be, '\u{426}'), (0xc7bf, '\u{427}'), (0xc7c0, '\u{428}'), (0xc7c1, '\u{429}'), (0xc7c2, '\u{42a}'),
    (0xc7c3, '\u{42b}'), (0xc7c4, '\u{42c}'), (0xc7c5, '\u{42d}'), (0xc7c6, '\u{42e}'), (0xc7c7, '\u{42f}'),
    (0xc7c8, '\u{430}'), (0xc7c9, '\u{431}'), (0xc7ca, '\u{432}'), (0xc7cb, '\u{433}'), (0xc7cc, '\u{434}'),
    (0xc7cd, '\u{435}'), (0xc7ce, '\u{451}'), (0xc7cf, '\u{436}'), (0xc7d0, '\u{437}'), (0xc7d1, '\u{438}'),
    (0xc7d2, '\u{439}'), (0xc7d3, '\u{43a}'), (0xc7d4, '\u{43b}'), (0xc7d5, '\u{43c}'), (0xc7d6, '\u{43d}'),
    (0xc7d7, '\u{43e}'), (0xc7d8, '\u{43f}'), (0xc7d9, '\u{440}'), (0xc7da, '\u{441}'), (0xc7db, '\u{442}'),
    (0xc7dc, '\u{443}'), (0xc7dd, '\u{444}'), (0xc7de, '\u{445}'), (0xc7df, '\u{446}'), (0xc7e0, '\u{447}'),
    (0xc7e1, '\u{448}'), (0xc7e2, '\u{449}'), (0xc7e3, '\u{44a}'), (0xc7e4, '\u{44b}'), (0xc7e5, '\u{44c}'),
    (0xc7e6, '\u{44d}'), (0xc7e7, '\u{44e}'), (0xc7e8, '\u{44f}'), (0xc7e9, '\u{2460}'), (0xc7ea, '\u{2461}'),
    (0xc7eb, '\u{2462}'), (0xc7ec, '\u{2463}'), (0xc7ed, '\u{2464}'), (0xc7ee, '\u{2465}'), (0xc7ef, '\u{2466}'),
    (0xc7f0, '\u{2467}'), (0xc7f1, '\u{2468}'), (0xc7f2, '\u{2469}'), (0xc7f3, '\u{2474}'), (0xc7f4, '\u{2475}'),
    (0xc7f5, '\u{2476}'), (0xc7f6, '\u{2477}'), (0xc7f7, '\u{2478}'), (0xc7f8, '\u{2479}'), (0xc7f9, '\u{247a}'),
    (0xc7fa, '\u{247b}'), (0xc7fb, '\u{247c}'), (0xc7fc, '\u{247d}'),
];

/// eucjpms.
#[rustfmt::skip]
pub(super) static EUCJPMS: &Differences = &[
    (0xa1bd, '\u{2014}'), (0xa1c1, '\u{301c}'), (0xa1c2, '\u{2016}'), (0xa1dd, '\u{2212}'), (0xa1f1, '\u{a2}'),
    (0xa1f2, '\u{a3}'), (0xa2cc, '\u{ac}'), (0xfcfb, '\u{3052}'), (0xfcfc, '\u{a6}'), (0x8ff3f3, '\u{2170}'),
    (0x8ff3f4, '\u{2171}'), (0x8ff3f5, '\u{2172}'), (0x8ff3f6, '\u{2173}'), (0x8ff3f7, '\u{2174}'), (0x8ff3f8, '\u{2175}'),
    (0x8ff3f9, '\u{2176}'), (0x8ff3fa, '\u{2177}'), (0x8ff3fb, '\u{2178}'), (0x8ff3fc, '\u{2179}'), (0x8ff3fd, '\u{2160}'),
    (0x8ff3fe, '\u{2161}'), (0x8ff4a1, '\u{2162}'), (0x8ff4a2, '\u{2163}'), (0x8ff4a3, '\u{2164}'), (0x8ff4a4, '\u{2165}'),
    (0x8ff4a5, '\u{2166}'), (0x8ff4a6, '\u{2167}'), (0x8ff4a7, '\u{2168}'), (0x8ff4a8, '\u{2169}'), (0x8ff4a9, '\u{ff07}'),
    (0x8ff4aa, '\u{ff02}'), (0x8ff4ab, '\u{3231}'), (0x8ff4ac, '\u{2116}'), (0x8ff4ad, '\u{2121}'), (0x8ff4ae, '\u{70bb}'),
    (0x8ff4af, '\u{4efc}'), (0x8ff4b0, '\u{50f4}'), (0x8ff4b1, '\u{51ec}'), (0x8ff4b2, '\u{5307}'), (0x8ff4b3, '\u{5324}'),
    (0x8ff4b4, '\u{fa0e}'), (0x8ff4b5, '\u{548a}'), (0x8ff4b6, '\u{5759}'), (0x8ff4b7, '\u{fa0f}'), (0x8ff4b8, '\u{fa10}'),
    (0x8ff4b9, '\u{589e}'), (0x8ff4ba, '\u{5bec}'), (0x8ff4bb, '\u{5cf5}'), (0x8ff4bc, '\u{5d53}'), (0x8ff4bd, '\u{fa11}'),
    (0x8ff4be, '\u{5fb7}'), (0x8ff4bf, '\u{6085}'), (0x8ff4c0, '\u{6120}'), (0x8ff4c1, '\u{654e}'), (0x8ff4c2, '\u{663b}'),
    (0x8ff4c3, '\u{6665}'), (0x8ff4c4, '\u{fa12}'), (0x8ff4c5, '\u{f929}'), (0x8ff4c6, '\u{6801}'), (0x8ff4c7, '\u{fa13}'),
    (0x8ff4c8, '\u{fa14}'), (0x8ff4c9, '\u{6a6b}'), (0x8ff4ca, '\u{6ae2}'), (0x8ff4cb, '\u{6df8}'), (0x8ff4cc, '\u{6df2}'),
    (0x8ff4cd, '\u{7028}'), (0x8ff4ce, '\u{fa15}'), (0x8ff4cf, '\u{fa16}'), (0x8ff4d0, '\u{7501}'), (0x8ff4d1, '\u{7682}'),
    (0x8ff4d2, '\u{769e}'), (0x8ff4d3, '\u{fa17}'), (0x8ff4d4, '\u{7930}'), (0x8ff4d5, '\u{fa18}'), (0x8ff4d6, '\u{fa19}'),
    (0x8ff4d7, '\u{fa1a}'), (0x8ff4d8, '\u{fa1b}'), (0x8ff4d9, '\u{7ae7}'), (0x8ff4da, '\u{fa1c}'), (0x8ff4db, '\u{fa1d}'),
    (0x8ff4dc, '\u{7da0}'), (0x8ff4dd, '\u{7dd6}'), (0x8ff4de, '\u{fa1e}'), (0x8ff4df, '\u{8362}'), (0x8ff4e0, '\u{fa1f}'),
    (0x8ff4e1, '\u{85b0}'), (0x8ff4e2, '\u{fa20}'), (0x8ff4e3, '\u{fa21}'), (0x8ff4e4, '\u{8807}'), (0x8ff4e5, '\u{fa22}'),
    (0x8ff4e6, '\u{8b7f}'), (0x8ff4e7, '\u{8cf4}'), (0x8ff4e8, '\u{8d76}'), (0x8ff4e9, '\u{fa23}'), (0x8ff4ea, '\u{fa24}'),
    (0x8ff4eb, '\u{fa25}'), (0x8ff4ec, '\u{90de}'), (0x8ff4ed, '\u{fa26}'), (0x8ff4ee, '\u{9115}'), (0x8ff4ef, '\u{fa27}'),
    (0x8ff4f0, '\u{fa28}'), (0x8ff4f1, '\u{9592}'), (0x8ff4f2, '\u{f9dc}'), (0x8ff4f3, '\u{fa29}'), (0x8ff4f4, '\u{973b}'),
    (0x8ff4f5, '\u{974d}'), (0x8ff4f6, '\u{9751}'), (0x8ff4f7, '\u{fa2a}'), (0x8ff4f8, '\u{fa2b}'), (0x8ff4f9, '\u{fa2c}'),
    (0x8ff4fa, '\u{999e}'), (0x8ff4fb, '\u{9ad9}'), (0x8ff4fc, '\u{9b72}'), (0x8ff4fd, '\u{fa2d}'), (0x8ff4fe, '\u{9ed1}'),
];

/// euckr.
#[rustfmt::skip]
pub(super) static EUCKR: &Differences = &[
    (0xa2e8, '\u{327e}'),
];

/// gb2312.
#[rustfmt::skip]
pub(super) static GB2312: &Differences = &[
    (0xa1a4, '\u{30fb}'), (0xa1aa, '\u{2015}'),
];

/// gbk.
#[rustfmt::skip]
pub(super) static GBK: &Differences = &[
    (0xa3a0, '\u{e5e5}'), (0xa6d9, '\u{e78d}'), (0xa6da, '\u{e78e}'), (0xa6db, '\u{e78f}'), (0xa6dc, '\u{e790}'),
    (0xa6dd, '\u{e791}'), (0xa6de, '\u{e792}'), (0xa6df, '\u{e793}'), (0xa6ec, '\u{e794}'), (0xa6ed, '\u{e795}'),
    (0xa6f3, '\u{e796}'), (0xa892, '\u{2641}'), (0xa8bc, '\u{e7c7}'), (0xa8bf, '\u{e7c8}'), (0xa989, '\u{e7e7}'),
    (0xa98a, '\u{e7e8}'), (0xa98b, '\u{e7e9}'), (0xa98c, '\u{e7ea}'), (0xa98d, '\u{e7eb}'), (0xa98e, '\u{e7ec}'),
    (0xa98f, '\u{e7ed}'), (0xa990, '\u{e7ee}'), (0xa991, '\u{e7ef}'), (0xa992, '\u{e7f0}'), (0xa993, '\u{e7f1}'),
    (0xa994, '\u{e7f2}'), (0xa995, '\u{e7f3}'), (0xfe50, '\u{e815}'), (0xfe54, '\u{e819}'), (0xfe55, '\u{e81a}'),
    (0xfe56, '\u{e81b}'), (0xfe57, '\u{e81c}'), (0xfe58, '\u{e81d}'), (0xfe59, '\u{e81e}'), (0xfe5a, '\u{e81f}'),
    (0xfe5b, '\u{e820}'), (0xfe5c, '\u{e821}'), (0xfe5d, '\u{e822}'), (0xfe5e, '\u{e823}'), (0xfe5f, '\u{e824}'),
    (0xfe60, '\u{e825}'), (0xfe61, '\u{e826}'), (0xfe62, '\u{e827}'), (0xfe63, '\u{e828}'), (0xfe64, '\u{e829}'),
    (0xfe65, '\u{e82a}'), (0xfe66, '\u{e82b}'), (0xfe67, '\u{e82c}'), (0xfe68, '\u{e82d}'), (0xfe69, '\u{e82e}'),
    (0xfe6a, '\u{e82f}'), (0xfe6b, '\u{e830}'), (0xfe6d, '\u{e832}'), (0xfe6e, '\u{e833}'), (0xfe6f, '\u{e834}'),
    (0xfe70, '\u{e835}'), (0xfe71, '\u{e836}'), (0xfe72, '\u{e837}'), (0xfe73, '\u{e838}'), (0xfe74, '\u{e839}'),
    (0xfe75, '\u{e83a}'), (0xfe77, '\u{e83c}'), (0xfe78, '\u{e83d}'), (0xfe79, '\u{e83e}'), (0xfe7a, '\u{e83f}'),
    (0xfe7b, '\u{e840}'), (0xfe7c, '\u{e841}'), (0xfe7d, '\u{e842}'), (0xfe7e, '\u{e843}'), (0xfe80, '\u{e844}'),
    (0xfe81, '\u{e845}'), (0xfe82, '\u{e846}'), (0xfe83, '\u{e847}'), (0xfe84, '\u{e848}'), (0xfe85, '\u{e849}'),
    (0xfe86, '\u{e84a}'), (0xfe87, '\u{e84b}'), (0xfe88, '\u{e84c}'), (0xfe89, '\u{e84d}'), (0xfe8a, '\u{e84e}'),
    (0xfe8b, '\u{e84f}'), (0xfe8c, '\u{e850}'), (0xfe8d, '\u{e851}'), (0xfe8e, '\u{e852}'), (0xfe8f, '\u{e853}'),
    (0xfe90, '\u{e854}'), (0xfe92, '\u{e856}'), (0xfe93, '\u{e857}'), (0xfe94, '\u{e858}'), (0xfe95, '\u{e859}'),
    (0xfe96, '\u{e85a}'), (0xfe97, '\u{e85b}'), (0xfe98, '\u{e85c}'), (0xfe99, '\u{e85d}'), (0xfe9a, '\u{e85e}'),
    (0xfe9b, '\u{e85f}'), (0xfe9c, '\u{e860}'), (0xfe9d, '\u{e861}'), (0xfe9e, '\u{e862}'), (0xfe9f, '\u{e863}'),
    (0xfea0, '\u{e864}'),
];

/// sjis.
#[rustfmt::skip]
pub(super) static SJIS: &Differences = &[
    (0x815c, '\u{2014}'), (0x8160, '\u{301c}'), (0x8161, '\u{2016}'), (0x817c, '\u{2212}'), (0x8191, '\u{a2}'),
    (0x8192, '\u{a3}'), (0x81ca, '\u{ac}'),
];

/// ujis.
#[rustfmt::skip]
pub(super) static UJIS: &Differences = &[
    (0xa1bd, '\u{2014}'), (0xa1c1, '\u{301c}'), (0xa1c2, '\u{2016}'), (0xa1dd, '\u{2212}'), (0xa1f1, '\u{a2}'),
    (0xa1f2, '\u{a3}'), (0xa2cc, '\u{ac}'),
];
