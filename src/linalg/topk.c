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

size_t topk(const float *score, size_t n, size_t k, struct scored *out)
{
    size_t m = 0;
    if (k == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        /* Most items fail against the worst of the list: one comparison each. NaN fails both. */
        if (m == k && !(score[i] > out[0].score))
            continue;
        if (!(score[i] > -INFINITY))
            continue;
        struct scored s = {(uint32_t)i, score[i]};
        if (m < k) {
            out[m++] = s;
            if (m == k)
                for (size_t j = k / 2; j-- > 0;)
                    sift_down(out, k, j);
        } else {
            out[0] = s;
            sift_down(out, k, 0);
        }
    }
    if (m < k)
        for (size_t j = m / 2; j-- > 0;)
            sift_down(out, m, j);
    for (size_t end = m; end > 1; end--) {
        struct scored worst = out[0];
        out[0] = out[end - 1];
        out[end - 1] = worst;
        sift_down(out, end - 1, 0);
    }
    return m;
}
