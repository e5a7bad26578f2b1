/* What `models` says of memory: a trained model takes no more than three times what it is when saved, and
 * its vectors of users. */
#include "tests/unit/every_model.h"

#ifdef __GLIBC__
#include <malloc.h>
#define TELLS __GLIBC_PREREQ(2, 33)
#else
#define TELLS 0
#endif

#include "models/classes.h"

enum { SLACK = 64 << 10 }; /* what does not grow with the data: products of vectors, the allocator's rounding */

/* 0: this C library, or the allocator of a sanitizer, does not tell. */
static size_t in_use(void)
{
#if TELLS
    struct mallinfo2 all = mallinfo2();
    return all.uordblks + all.hblkhd;
#else
    return 0;
#endif
}

static struct dataset *data;

static void test_memory(void **state)
{
    const struct model_class *class = *state;
    size_t users = 1500, items = 500;
    data = data ? data : every_world(users, items, 20 * users, ODD_NOT);
    model_release(every_model(class, data)); /* what is made once and stays, such as scratch of the libraries */
    size_t before = in_use();
    struct model *m = every_model(class, data);
    size_t taken = in_use() - before, promised = 3 * model_bytes(m) + model_vectors_bytes(m) + SLACK;
    model_release(m);
    if (!before)
        skip();
    assert_true(promised > SLACK);
    if (taken > promised)
        fail_msg("%s takes %zu bytes, which should be %zu at most", class->name, taken, promised);
}

int main(void)
{
    static struct every_tests tests;
    every_class(&tests, 0, "takes the memory that is told", test_memory);
    int failed = _cmocka_run_group_tests("models_memory", tests.test, tests.n, NULL, NULL);
    dataset_release(data);
    return failed;
}
