#include "linalg/product.h"

#include <cblas.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/kernel.h"
#include "linalg/tiles.h"

#if KERNEL_AMX

/* The matrix unit holds eight tiles of 16 rows of 64 bytes. C (16 x 16 float32) += A B, where a row of A is 32 bf16
 * along the inner dimension and row p of B holds, for 16 columns, the pairs (2p, 2p + 1) along it. So a tile is 16 x 16
 * words of 32 bits, a pair each, and the other operand's layout is its transpose.
 *
 * Packed operands: panels of WIDE rows (or columns), in each the STEP-long steps along the inner dimension, in each the
 * three parts, high first, in each two tiles. Zeros stand past the ends. */
enum {
    PARTS = 3,
    WIDE = 32,
    STEP = 32,
    DEPTH = 256,
    WORDS = 256,
    PART_WORDS = 2 * WORDS,
    STEP_WORDS = PARTS * PART_WORDS
};

/* ---- packing ---- */

/* x as a sum of bf16, each in the upper half of its lane. The first two are rounded, the last holds what is left. */
TARGET_TILES static inline void cut(__m512 x, __m512i part[PARTS])
{
    const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32((int)0xffff0000);
    for (int p = 0; p < PARTS; p++) {
        part[p] = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), upper);
        x = _mm512_sub_ps(x, _mm512_castsi512_ps(part[p]));
    }
}

/* Row r of the tile of each part: pairs of even and odd. */
TARGET_TILES static inline void put_row(__m512 even, __m512 odd, size_t r, __m512i tile[PARTS][16])
{
    __m512i e[PARTS], o[PARTS];
    cut(even, e);
    cut(odd, o);
    for (int p = 0; p < PARTS; p++)
        tile[p][r] = _mm512_or_si512(_mm512_srli_epi32(e[p], 16), o[p]);
}

static inline __mmask16 first(size_t n)
{
    return (__mmask16)(n >= 16 ? 0xffffU : (1U << n) - 1);
}

/* Rows of the tile are rows of memory: 16 of them, 32 elements of each. */
TARGET_TILES static inline void read_along(const float *a, size_t stride, size_t rows, size_t inner,
                                         __m512i tile[PARTS][16])
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    __mmask16 low = first(inner), high = inner > 16 ? first(inner - 16) : 0;
    for (size_t r = 0; r < 16; r++) {
        __m512 x = _mm512_setzero_ps(), y = x;
        __builtin_prefetch(a + (r + WIDE) * stride); /* the next panel: runs are too short for the CPU to foresee */
        __builtin_prefetch(a + (r + WIDE) * stride + 16);
        if (r < rows) {
            x = _mm512_maskz_loadu_ps(low, a + r * stride);
            y = high ? _mm512_maskz_loadu_ps(high, a + r * stride + 16) : y;
        }
        put_row(_mm512_permutex2var_ps(x, even, y), _mm512_permutex2var_ps(x, odd, y), r, tile);
    }
}

/* Rows of the tile are pairs of rows of memory: 16 elements of 32 rows. */
TARGET_TILES static inline void read_across(const float *a, size_t stride, size_t columns, size_t inner,
                                          __m512i tile[PARTS][16])
{
    __mmask16 mask = first(columns);
    for (size_t r = 0; r < 16; r++) {
        __m512 x = _mm512_setzero_ps(), y = x;
        __builtin_prefetch(a + 2 * r * stride + WIDE);
        __builtin_prefetch(a + (2 * r + 1) * stride + WIDE);
        if (2 * r < inner)
            x = _mm512_maskz_loadu_ps(mask, a + 2 * r * stride);
        if (2 * r + 1 < inner)
            y = _mm512_maskz_loadu_ps(mask, a + (2 * r + 1) * stride);
        put_row(x, y, r, tile);
    }
}

TARGET_TILES static inline void transpose(__m512i v[16])
{
    __m512i w[16];
    for (int i = 0; i < 16; i += 2) {
        w[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        w[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        v[i] = _mm512_unpacklo_epi64(w[i], w[i + 2]);
        v[i + 1] = _mm512_unpackhi_epi64(w[i], w[i + 2]);
        v[i + 2] = _mm512_unpacklo_epi64(w[i + 1], w[i + 3]);
        v[i + 3] = _mm512_unpackhi_epi64(w[i + 1], w[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        w[i] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0x88);
        w[i + 4] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0xdd);
        w[i + 8] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0x88);
        w[i + 12] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        v[i] = _mm512_shuffle_i32x4(w[i], w[i + 8], 0x88);
        v[i + 4] = _mm512_shuffle_i32x4(w[i + 4], w[i + 12], 0x88);
        v[i + 8] = _mm512_shuffle_i32x4(w[i], w[i + 8], 0xdd);
        v[i + 12] = _mm512_shuffle_i32x4(w[i + 4], w[i + 12], 0xdd);
    }
}

/* `n` rows (of the left operand) or columns (of the right one) and `inner` elements along them, with `minus` times -1.
 * `along`: the elements follow each other in memory. */
TARGET_TILES static void pack(const float *a, size_t stride, bool along, bool left, bool minus, size_t n, size_t inner,
                            uint32_t *out)
{
    const __m512i sign = _mm512_set1_epi32(minus ? (int)0x80008000 : 0); /* of both of a pair */
    for (size_t panel = 0; panel < n; panel += WIDE) {
        for (size_t k = 0; k < inner; k += STEP, out += STEP_WORDS) {
            for (size_t half = 0; half < 2; half++) {
                __m512i tile[PARTS][16];
                size_t r = panel + half * 16, rows = r < n ? n - r : 0;
                if (!rows)
                    r = 0; /* nothing is read there */
                if (along)
                    read_along(a + r * stride + k, stride, rows, inner - k, tile);
                else
                    read_across(a + k * stride + r, stride, rows, inner - k, tile);
                for (size_t p = 0; p < PARTS; p++) {
                    if (along != left)
                        transpose(tile[p]);
                    for (size_t i = 0; i < 16; i++)
                        _mm512_store_si512(out + p * PART_WORDS + half * WORDS + i * 16,
                                           _mm512_xor_si512(tile[p][i], sign));
                }
            }
        }
    }
}

/* ---- multiplying ---- */

/* Tiles 0 to 3 are the sums, 4 and 5 of the left operand, 6 and 7 of the right. */
TARGET_TILES static inline void take_left(const uint32_t *a)
{
    _tile_loadd(4, a, 64);
    _tile_loadd(5, a + WORDS, 64);
}

TARGET_TILES static inline void take_right(const uint32_t *b)
{
    _tile_loadd(6, b, 64);
    _tile_loadd(7, b + WORDS, 64);
}

TARGET_TILES static inline void multiply(void)
{
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/* c (WIDE x WIDE) += one panel times another; the small products of each step first. */
TARGET_TILES static void multiply_panels(const uint32_t *a, const uint32_t *b, size_t steps, float *c, size_t stride)
{
    enum { HIGH = 0, MIDDLE = PART_WORDS, LOW = 2 * PART_WORDS };
    size_t bytes = stride * sizeof *c;
    tiles_see_memory();
    _tile_loadd(0, c, bytes);
    _tile_loadd(1, c + 16, bytes);
    _tile_loadd(2, c + 16 * stride, bytes);
    _tile_loadd(3, c + 16 * stride + 16, bytes);
    for (size_t s = 0; s < steps; s++, a += STEP_WORDS, b += STEP_WORDS) {
        take_left(a + LOW);
        take_right(b + HIGH);
        multiply();
        take_left(a + MIDDLE);
        multiply();
        take_left(a + HIGH);
        multiply();
        take_right(b + MIDDLE);
        multiply();
        take_right(b + LOW);
        multiply();
        take_left(a + MIDDLE);
        take_right(b + MIDDLE);
        multiply();
    }
    _tile_stored(0, c, bytes);
    _tile_stored(1, c + 16, bytes);
    _tile_stored(2, c + 16 * stride, bytes);
    _tile_stored(3, c + 16 * stride + 16, bytes);
}

/* At the border of C, by way of a copy. */
static void multiply_border(const uint32_t *a, const uint32_t *b, size_t steps, float *c, size_t stride, size_t rows,
                            size_t columns)
{
    float copy[WIDE * WIDE] __attribute__((aligned(64))) = {0};
    for (size_t r = 0; r < rows; r++)
        memcpy(copy + r * WIDE, c + r * stride, columns * sizeof *c);
    multiply_panels(a, b, steps, copy, WIDE);
    for (size_t r = 0; r < rows; r++)
        memcpy(c + r * stride, copy + r * WIDE, columns * sizeof *c);
}

/* Brings the next panel of C near while one is multiplied. */
static inline void expect_panel(const float *c, size_t stride, size_t rows)
{
    for (size_t r = 0; r < rows && r < WIDE; r++) {
        __builtin_prefetch(c + r * stride, 1);
        __builtin_prefetch(c + r * stride + 16, 1);
    }
}

static void multiply_packed(const struct product_room *room, size_t rows, size_t columns, size_t steps, float *c,
                            size_t stride)
{
    const uint32_t *b = room->right;
    for (size_t j = 0; j < columns; j += WIDE, b += steps * STEP_WORDS) {
        const uint32_t *a = room->left;
        size_t wide = columns - j < WIDE ? columns - j : WIDE;
        for (size_t i = 0; i < rows; i += WIDE, a += steps * STEP_WORDS) {
            size_t high = rows - i < WIDE ? rows - i : WIDE;
            float *at = c + i * stride + j;
            if (rows - i > WIDE)
                expect_panel(at + WIDE * stride, stride, rows - i - WIDE);
            if (high == WIDE && wide == WIDE)
                multiply_panels(a, b, steps, at, stride);
            else
                multiply_border(a, b, steps, at, stride, high, wide);
        }
    }
}

TARGET_TILES static void amx_product_add(const struct product_room *room, size_t rows, size_t columns, size_t inner,
                                       bool minus, struct operand left, struct operand right, float *c, size_t stride)
{
    tiles_open();
    for (size_t k = 0; k < inner; k += DEPTH) {
        size_t depth = inner - k < DEPTH ? inner - k : DEPTH;
        pack(left.transposed ? left.a + k * left.stride : left.a + k, left.stride, !left.transposed, true, minus, rows,
             depth, room->left);
        pack(right.transposed ? right.a + k : right.a + k * right.stride, right.stride, right.transposed, false, false,
             columns, depth, room->right);
        multiply_packed(room, rows, columns, (depth + STEP - 1) / STEP, c, stride);
    }
    _tile_release();
}

enum status product_room_new(struct product_room *room, struct error *err)
{
    static const size_t words = PRODUCT_SIDE / WIDE * DEPTH / STEP * STEP_WORDS;
    *room = (struct product_room){0};
    if (!kernel_amx())
        return ST_OK;
    room->left = mem_new_raw(words, sizeof(uint32_t), "packed tiles", err);
    room->right = room->left ? mem_new_raw(words, sizeof(uint32_t), "packed tiles", err) : NULL;
    if (room->right)
        return ST_OK;
    product_room_clear(room);
    return ST_NOMEM;
}

#else

enum status product_room_new(struct product_room *room, struct error *err)
{
    (void)err;
    *room = (struct product_room){0};
    return ST_OK;
}

#endif

void product_room_clear(struct product_room *room)
{
    mem_free(room->left);
    mem_free(room->right);
    *room = (struct product_room){0};
}

void product_add(const struct product_room *room, size_t rows, size_t columns, size_t inner, bool minus,
                 struct operand left, struct operand right, float *c, size_t stride)
{
#if KERNEL_AMX
    if (room->left) {
        amx_product_add(room, rows, columns, inner, minus, left, right, c, stride);
        return;
    }
#endif
    (void)room;
    cblas_sgemm(CblasRowMajor, left.transposed ? CblasTrans : CblasNoTrans,
                right.transposed ? CblasTrans : CblasNoTrans, (int)rows, (int)columns, (int)inner, minus ? -1 : 1,
                left.a, (int)left.stride, right.a, (int)right.stride, 1, c, (int)stride);
}
