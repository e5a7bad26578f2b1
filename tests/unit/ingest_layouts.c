/* The layouts of well-known data sets, small ones written here and the real ones where they are ($TAILOR_DATA). */
#include "tests/unit/ingest_help.h"

static const char *real(const char *name)
{
    static char path[512];
    const char *root = getenv("TAILOR_DATA");
    snprintf(path, sizeof path, "%s/%s", root ? root : "", name);
    if (!root || access(path, R_OK))
        skip();
    return path;
}

static void check_counts(const struct loaded *l, uint32_t users, uint32_t items, size_t events)
{
    assert_int_equal(l->data->users.n, users);
    assert_int_equal(l->data->items.n, items);
    assert_int_equal(l->data->events.n, events);
    assert_int_equal(l->data->rows_rejected, 0);
}

static void test_movielens_small(void **state)
{
    (void)state;
    struct loaded l;
    write_text("u.data", "1\t10\t5\t881250949\n2\t20\t3\t881250950\n");
    write_text("u.item",
               "10|Les Mis\xe9rables (1995)|1-Jan-1995||http://x|0|1|1\n20|\"Heat|01-Feb-1995|||1|0|0\n30|Cold|||\n");
    write_text("u.genre", "unknown|0\nDrama|1\nWar|2\n\n");
    write_text("u.user", "1|24|M|writer|0123\n2|30|F|other|x12\n");
    assert_int_equal(load_path(&l, scratch_path("u.data")), ST_OK);
    check_counts(&l, 2, 3, 2);
    assert_string_equal(l.report.reader, "movielens-100k");
    assert_string_equal(dict_text(&l.data->types, 0), "rating");
    assert_string_equal(cell_text(&l.data->item_fields, "title", 0), "Les Misérables (1995)");
    assert_string_equal(cell_text(&l.data->item_fields, "title", 1), "\"Heat");
    assert_string_equal(cell_text(&l.data->item_fields, "genres", 0), "Drama|War");
    assert_true(field_missing(fields_find(&l.data->item_fields, "genres"), 2));
    assert_int_equal(fields_find(&l.data->item_fields, "release_date")->type, FIELD_TIME);
    assert_int_equal(fields_find(&l.data->item_fields, "release_date")->integer[0], time_days(1995, 1, 1) * US_PER_DAY);
    assert_int_equal(fields_find(&l.data->user_fields, "age")->integer[1], 30);
    assert_string_equal(cell_text(&l.data->user_fields, "zip_code", 0), "0123");
    assert_true(noted(&l, "Latin-1"));
    unload(&l);

    write_text("ratings.dat", "1::10::5::978300760\n1::20::3::978302109\n");
    write_text("movies.dat", "10::Toy Story: the film (1995)::Animation|Comedy\n20::Heat::Crime\n");
    write_text("users.dat", "1::F::1::10::48067\n");
    assert_int_equal(load_path(&l, scratch_path("ratings.dat")), ST_OK);
    check_counts(&l, 1, 2, 2);
    assert_string_equal(cell_text(&l.data->item_fields, "title", 0), "Toy Story: the film (1995)");
    assert_string_equal(cell_text(&l.data->item_fields, "genres", 0), "Animation|Comedy");
    assert_string_equal(cell_text(&l.data->user_fields, "gender", 0), "F");
    unload(&l);

    write_text("ratings.csv", "userId,movieId,rating,timestamp\n1,10,4.5,964982703\n");
    write_text("movies.csv", "movieId,title,genres\n10,\"Heat, The (1995)\",(no genres listed)\n");
    assert_int_equal(load_path(&l, scratch_path("ratings.csv")), ST_OK);
    check_counts(&l, 1, 1, 1);
    assert_string_equal(cell_text(&l.data->item_fields, "title", 0), "Heat, The (1995)");
    assert_int_equal(fields_find(&l.data->item_fields, "genres")->type, FIELD_LIST);
    assert_true(field_missing(fields_find(&l.data->item_fields, "genres"), 0));
    unload(&l);
}

static void test_lists_small(void **state)
{
    (void)state;
    struct loaded l;
    char folder[256];
    snprintf(folder, sizeof folder, "%s", scratch_path("lists"));
    mkdir(folder, 0700);
    write_text("lists/train.txt", "0 1 2 3\n1 2\n2\n");
    write_text("lists/test.txt", "0 9 \n1 3 4\n");
    assert_int_equal(load_path(&l, folder), ST_OK);
    check_counts(&l, 2, 5, 7);
    assert_string_equal(l.report.reader, "lists");
    assert_string_equal(cell_text(&l.data->events.context, "part", 2), "train");
    assert_string_equal(cell_text(&l.data->events.context, "part", 3), "test");
    assert_true(noted(&l, "1 line has a user and no items"));
    unload(&l);
    assert_int_equal(load_path(&l, scratch_path("lists/train.txt")), ST_OK);
    assert_null(fields_find(&l.data->events.context, "part"));
    unload(&l);
}

static void test_folder(void **state)
{
    (void)state;
    struct loaded l;
    const char *root = getenv("DATASETS_DIR");
    char path[512];
    snprintf(path, sizeof path, "%s/tiny", root ? root : "");
    if (!root || access(path, R_OK))
        skip();
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, 6, 8, 22);
    assert_string_equal(cell_text(&l.data->item_fields, "title", 0), "Two-person tent");
    unload(&l);
}

/* A column without a name is said by its number, or by what `preview` calls it. */
static void test_attributes_by_number(void **state)
{
    (void)state;
    static const struct mapping said[][2] = {{{"id", "1"}, {"title", "3"}}, {{"id", "column_1"}, {"title", "column_3"}}};
    const char *path = write_text("items3.csv", "7,3,Bag\n8,4,Cup\n");
    for (size_t i = 0; i < 2; i++) {
        struct loaded l;
        struct dataset *next;
        assert_int_equal(load_text(&l, "ev.csv", "user,item\nu,7\nu,8\n"), ST_OK);
        struct reject_sink sink = {&l, count_reject};
        assert_int_equal(ingest_attributes(l.data, ATTRIBUTES_OF_ITEMS, path, said[i], 2, &sink, NULL, &next, &l.report, &l.err), ST_OK);
        assert_string_equal(cell_text(&next->item_fields, "title", 1), "Cup");
        dataset_release(next);
        unload(&l);
    }
}

/* Attributes that come later: joined by id, cold items made, what was there kept, the first data set untouched. */
static void test_attributes(void **state)
{
    (void)state;
    struct loaded l;
    struct dataset *next, *third;
    assert_int_equal(load_text(&l, "ev.csv", "user,item,item_brand\nu,a,x\nu,b,y\n"), ST_OK);
    const struct mapping m[] = {{"id", "sku"}, {"title", "label"}};
    const char *path = write_text("items1.csv", "sku,label,price,tags\nb,Bag,3,red|blue\nc,Cup,4.5,\n,Nameless,1,\n");
    struct reject_sink sink = {&l, count_reject};
    assert_int_equal(ingest_attributes(l.data, ATTRIBUTES_OF_ITEMS, path, m, 2, &sink, NULL, &next, &l.report, &l.err),
                     ST_OK);
    assert_int_equal(l.rejects, 1);
    assert_string_equal(l.last_reason, "no item");
    assert_int_equal(l.data->items.n, 2);
    assert_int_equal(l.data->item_fields.n, 0);
    assert_int_equal(next->items.n, 3);
    assert_int_equal(next->events.n, 2);
    assert_int_equal(next->rows_read, l.data->rows_read + 3);
    assert_string_equal(cell_text(&next->item_fields, "title", 1), "Bag");
    assert_true(field_missing(fields_find(&next->item_fields, "title"), 0));
    assert_int_equal(fields_find(&next->item_fields, "price")->type, FIELD_REAL);
    assert_string_equal(cell_text(&next->item_fields, "tags", 1), "red|blue");
    assert_true(next->fingerprint != l.data->fingerprint);

    path = write_text(
        "items2.jsonl",
        "{\"item\":\"a\",\"title\":\"Axe\",\"price\":7,\"tags\":[\"steel\",\"a b\"]}\n{\"item\":\"b\",\"price\":5}\n");
    assert_int_equal(
        ingest_attributes(next, ATTRIBUTES_OF_ITEMS, path, NULL, 0, &sink, NULL, &third, &l.report, &l.err), ST_OK);
    assert_string_equal(cell_text(&third->item_fields, "title", 0), "Axe");
    assert_string_equal(cell_text(&third->item_fields, "title", 1), "Bag"); /* not in the second file: kept */
    assert_string_equal(cell_text(&third->item_fields, "price", 1), "5");
    assert_string_equal(cell_text(&third->item_fields, "tags", 0), "steel|a b");
    assert_string_equal(cell_text(&third->item_fields, "tags", 1), "red|blue");
    assert_int_equal(third->item_fields.n, 3);
    dataset_release(third);

    assert_int_equal(ingest_attributes(next, ATTRIBUTES_OF_USERS, scratch_path("gone.csv"), NULL, 0, &sink, NULL,
                                       &third, &l.report, &l.err),
                     ST_NOT_FOUND);
    path = write_text("users.csv", "name,age\nann,3\n");
    assert_int_equal(
        ingest_attributes(next, ATTRIBUTES_OF_USERS, path, NULL, 0, &sink, NULL, &third, &l.report, &l.err), ST_USAGE);
    assert_non_null(strstr(l.err.hint, "name, age"));
    dataset_release(next);
    unload(&l);
}

static void test_real_movielens(void **state)
{
    (void)state;
    struct loaded l;
    assert_int_equal(load_path(&l, real("ml-100k")), ST_OK);
    check_counts(&l, 943, 1682, 100000);
    assert_int_equal(fields_find(&l.data->item_fields, "release_date")->type, FIELD_TIME);
    assert_int_equal(fields_find(&l.data->item_fields, "genres")->levels.n, 19);
    assert_true(noted(&l, "u.item is not UTF-8"));
    unload(&l);
    assert_int_equal(load_path(&l, real("ml-latest-small")), ST_OK);
    check_counts(&l, 610, 9742, 100836);
    unload(&l);
}

static void test_real_lists(void **state)
{
    (void)state;
    struct loaded l;
    assert_int_equal(load_path(&l, real("gowalla")), ST_OK);
    check_counts(&l, 29858, 40981, 810128 + 217242);
    const struct field *part = fields_find(&l.data->events.context, "part");
    size_t train = 0;
    for (size_t i = 0; i < part->n; i++)
        train += strcmp(dict_text(&part->levels, part->code[i]), "train") == 0;
    assert_int_equal(train, 810128);
    unload(&l);
}

static void test_real_events(void **state)
{
    (void)state;
    struct loaded l;
    assert_int_equal(load_path(&l, real("deskdrop/users_interactions.csv")), ST_OK);
    check_counts(&l, 1895, 2987, 72312);
    assert_int_equal(l.data->types.n, 5);
    assert_non_null(fields_find(&l.data->events.context, "session"));
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_movielens_small), cmocka_unit_test(test_lists_small),
        cmocka_unit_test(test_folder),          cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_attributes_by_number),
        cmocka_unit_test(test_real_movielens),  cmocka_unit_test(test_real_lists),
        cmocka_unit_test(test_real_events),
    };
    return cmocka_run_group_tests_name("ingest_layouts", tests, NULL, remove_scratch);
}
