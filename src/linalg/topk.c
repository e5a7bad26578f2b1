#include "linalg/topk.h"

#include <math.h>

/* a before b in the list? */
static int before(struct scored a, struct scored b)
{
    return a.score > b.score || (a.score == b.score && a.index < b.index);
}

/* out[0..n) is a heap with the worst on top. */
static void sift_down(struct scored *h, size_t n, size_t i)
{
    struct scored x = h[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            break;
        if (child + 1 < n && before(h[child], h[child + 1]))
            child++;
        if (!before(x, h[child]))
            break;
        h[i] = h[child];
        i = child;
    }
    h[i] = x;
}

enum { STRIDE = 64 };

/* Is any of score[0..STRIDE) above the bar? Branch-free, so that the compiler makes vectors of it. NaN is above nothing. */
static int any_above(const float *score, float bar)
{
    int any = 0;
    for (size_t i = 0; i < STRIDE; i++)
        any |= score[i] > bar;
    return any;
}

size_t topk(const float *score, size_t n, size_t k, struct scored *out)
{
    size_t m = 0, i = 0;
    if (k == 0)
        return 0;
    for (; i < n && m < k; i++)
        if (score[i] > -INFINITY)
            out[m++] = (struct scored){(uint32_t)i, score[i]};
    for (size_t j = m / 2; j-- > 0;)
        sift_down(out, m, j);
    while (i < n) {
        /* Most scores fail against the worst of the list, and most strides as a whole. */
        size_t end = n - i < STRIDE ? n : i + STRIDE;
        if (end - i == STRIDE && !any_above(score + i, out[0].score)) {
            i = end;
            continue;
        }
        for (; i < end; i++) {
            if (score[i] > out[0].score) {
                out[0] = (struct scored){(uint32_t)i, score[i]};
                sift_down(out, k, 0);
            }
        }
    }
    for (size_t end = m; end > 1; end--) {
        struct scored worst = out[0];
        out[0] = out[end - 1];
        out[end - 1] = worst;
        sift_down(out, end - 1, 0);
    }
    return m;
}
