/* What a face is told of long work, and when a cancel counts. */
#include "base/job.h"
#include "linalg/factor.h"
#include "tests/unit/unit.h"

static void what_is_expected_counts_until_more_is_known(void **state)
{
    struct job job;
    struct job_view view;
    (void)state;
    job_init(&job);
    job_expect(&job, 1000);
    job_begin(&job, 100, "tiles", "first phase");
    job_look(&job, &view);
    assert_true(view.eta > 990 && view.eta <= 1000);
    job_step(&job, 99); /* this phase is nearly over; the whole is not */
    job_look(&job, &view);
    assert_true(view.eta > 990);
    job_begin(&job, 100, "tiles", "the phase that takes long");
    job.started -= 300;
    job_step(&job, 50);
    job_look(&job, &view);
    assert_true(view.eta > 299 && view.eta < 310);
    job_reset(&job);
    job_begin(&job, 100, "tiles", "other work");
    job_look(&job, &view);
    assert_true(view.eta < 0);
    job_enter(&job);
    job_expect(&job, 1000); /* a part does not speak for the whole */
    job_begin(&job, 10, "rows", "a part");
    job_look(&job, &view);
    assert_true(view.eta < 0);
    job_destroy(&job);
}

static void what_is_said_is_said_once_in_a_row_about_one_thing(void **state)
{
    struct job job;
    struct job_view view;
    (void)state;
    job_say(NULL, "ease", "nobody waits");
    job_init(&job);
    job_say(&job, "ease", "ease takes %d GiB", 6);
    job_look(&job, &view);
    assert_string_equal(view.note, "ease takes 6 GiB");
    assert_true(view.noted);
    uint64_t one = view.notes;
    job_say(&job, "ease", "ease takes %d GiB", 7); /* the next trial */
    job_look(&job, &view);
    assert_string_equal(view.note, "ease takes 6 GiB");
    assert_true(view.notes == one);
    job_say(&job, "cease", "cease takes 8 GiB");
    job_look(&job, &view);
    assert_string_equal(view.note, "cease takes 8 GiB");
    assert_true(view.notes == one + 1);
    job_reset(&job); /* who looks too late still learns of it, but not as of what runs now */
    job_look(&job, &view);
    assert_string_equal(view.note, "cease takes 8 GiB");
    assert_true(view.notes == one + 1 && !view.noted);
    job_say(&job, "cease", "cease takes 9 GiB"); /* another command */
    job_look(&job, &view);
    assert_string_equal(view.note, "cease takes 9 GiB");
    assert_true(view.notes == one + 2 && view.noted);
    job_destroy(&job);
}

static void a_cancel_counts_until_the_work_has_stopped(void **state)
{
    struct job job;
    (void)state;
    job_init(&job);
    job_cancel(&job);
    assert_true(job_cancelled(&job));
    job_stopped(&job);
    job_cancel(&job); /* asked for again, as faces do */
    assert_false(job_cancelled(&job));
    job_reset(&job);
    assert_false(job_cancelled(&job));
    job_cancel(&job);
    assert_true(job_cancelled(&job));
    job_destroy(&job);
}

static void an_inverse_is_expected_to_take_the_cube(void **state)
{
    double small, large;
    (void)state;
    assert_int_equal(symmetric_inverse_seconds(2048, &small, NULL), ST_OK);
    assert_true(small == 0);
    assert_int_equal(symmetric_inverse_seconds(2049, &small, NULL), ST_OK);
    assert_int_equal(symmetric_inverse_seconds(204800, &large, NULL), ST_OK);
    assert_true(small > 0 && large > 1000 * small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_expected_counts_until_more_is_known),
        cmocka_unit_test(what_is_said_is_said_once_in_a_row_about_one_thing),
        cmocka_unit_test(a_cancel_counts_until_the_work_has_stopped),
        cmocka_unit_test(an_inverse_is_expected_to_take_the_cube),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
