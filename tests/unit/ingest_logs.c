/* The layouts of public logs: files of a few rows written here as the real ones are. */
#include "tests/unit/ingest_help.h"

#include <math.h>

#define LOADS(l, name, text) assert_int_equal(load_text(l, name, text), ST_OK)

static const char *folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s", scratch_path(name));
    mkdir(path, 0700);
    return path;
}

static void check_counts(const struct loaded *l, const char *reader, uint32_t users, uint32_t items, size_t events,
                         uint64_t rejected)
{
    assert_string_equal(l->report.reader, reader);
    assert_int_equal(l->data->users.n, users);
    assert_int_equal(l->data->items.n, items);
    assert_int_equal(l->data->events.n, events);
    assert_int_equal(l->data->rows_rejected, rejected);
}

static const char *context(const struct loaded *l, const char *name, size_t event)
{
    return cell_text(&l->data->events.context, name, event);
}

static const char *item_field(const struct loaded *l, const char *name, size_t item)
{
    return cell_text(&l->data->item_fields, name, item);
}

static const char *type_of(const struct loaded *l, size_t event)
{
    return dict_text(&l->data->types, l->data->events.type[event]);
}

static void test_amazon(void **state)
{
    (void)state;
    struct loaded l;
    LOADS(&l, "reviews_Beauty_5.json",
          "{\"reviewerID\": \"A1YJEY40YUW4SE\", \"asin\": \"7806397051\", \"reviewerName\": \"Andrea\", \"helpful\": [3, 4], "
          "\"reviewText\": \"Very oily\", \"overall\": 1.0, \"summary\": \"Don't\", \"unixReviewTime\": 1391040000, "
          "\"reviewTime\": \"01 30, 2014\"}\n");
    check_counts(&l, "amazon", 1, 1, 1, 0);
    assert_true(l.data->events.value[0] == 1);
    assert_int_equal(l.data->events.time[0], INT64_C(1391040000) * US_PER_SECOND);
    assert_null(fields_find(&l.data->events.context, "reviewText"));
    assert_non_null(fields_find(&l.data->events.context, "helpful"));
    assert_true(noted(&l, "left out"));
    unload(&l);
    const char *text = "{\"rating\": 5.0, \"title\": \"Such a lovely\", \"text\": \"This\", \"images\": [], \"asin\": \"B00YQ6X8EO\", "
                       "\"parent_asin\": \"B00YQ6X8E0\", \"user_id\": \"AGKHLEW2SOWHNMFQIJGBECAF7INQ\", \"timestamp\": "
                       "1588687728923, \"helpful_vote\": 0, \"verified_purchase\": true}\n";
    LOADS(&l, "All_Beauty.jsonl", text);
    check_counts(&l, "amazon", 1, 1, 1, 0);
    assert_string_equal(dict_text(&l.data->items, 0), "B00YQ6X8E0");
    assert_int_equal(l.data->events.time[0], INT64_C(1588687728923) * 1000);
    assert_string_equal(context(&l, "asin", 0), "B00YQ6X8EO");
    unload(&l);
    const struct mapping keep = {"keep", "title"};
    const char *path = scratch_path("All_Beauty.jsonl");
    assert_int_equal(load_paths(&l, &path, 1, &keep, 1), ST_OK);
    assert_string_equal(context(&l, "title", 0), "Such a lovely");
    assert_null(fields_find(&l.data->events.context, "asin"));
    unload(&l);

    LOADS(&l, "ratings_Beauty.csv", "A39HTATAQ9V7YF,0205616461,5.0,1369699200\nA3JM6GV9MNOF9X,0558925278,3.0,1355443200\n");
    check_counts(&l, "amazon-ratings", 2, 2, 2, 0);
    assert_string_equal(dict_text(&l.data->users, 0), "A39HTATAQ9V7YF");
    unload(&l);
    LOADS(&l, "All_Beauty.csv", "0143026860,A1V6B6TNIC10QE,1.0,1424304000\nB000000001,A2F5GHSXFQ0W6J,4.0,1418860800\n");
    check_counts(&l, "amazon-ratings", 2, 2, 2, 0);
    assert_string_equal(dict_text(&l.data->users, 1), "A2F5GHSXFQ0W6J");
    assert_string_equal(dict_text(&l.data->items, 0), "0143026860");
    assert_true(noted(&l, "item comes first"));
    unload(&l);
}

static void test_lastfm(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("360k");
    write_text("360k/usersha1-artmbid-artname-plays.tsv",
               "00000c289a1829a808ac09c00daf10bc3c4e223b\t3bd73256-3905-4f3a-97e2-8b341527f805\tbetty blowtorch\t2137\n"
               "00000c289a1829a808ac09c00daf10bc3c4e223b\t\t\"die\" \xc3\xa4rzte\t1099\n");
    write_text("360k/usersha1-profile.tsv", "00000c289a1829a808ac09c00daf10bc3c4e223b\tf\t22\tGermany\tFeb 1, 2007\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "lastfm-360k", 1, 2, 2, 0);
    assert_string_equal(dict_text(&l.data->items, 1), "\"die\" \xc3\xa4rzte");
    assert_string_equal(item_field(&l, "title", 0), "betty blowtorch");
    assert_true(l.data->events.value[0] == 2137);
    assert_string_equal(type_of(&l, 0), "listen");
    assert_string_equal(cell_text(&l.data->user_fields, "country", 0), "Germany");
    unload(&l);

    path = folder("1k");
    write_text("1k/userid-timestamp-artid-artname-traid-traname.tsv",
               "user_000001\t2009-05-04T23:08:57Z\tf1b1cf71-bd35\tDeep Dish\t\tFuck Me Im Famous\n"
               "user_000001\t2009-05-04T13:54:10Z\ta7f7df4a-77d8\tUnderworld\tdc394163\tBoy, Boy\n");
    write_text("1k/userid-profile.tsv", "#id\tgender\tage\tcountry\tregistered\nuser_000001\tm\t\tJapan\tAug 13, 2006\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "lastfm-1k", 1, 2, 2, 0);
    assert_string_equal(dict_text(&l.data->items, 0), "Deep Dish+Fuck Me Im Famous");
    assert_string_equal(dict_text(&l.data->items, 1), "dc394163");
    assert_string_equal(item_field(&l, "artist", 1), "Underworld");
    assert_string_equal(cell_text(&l.data->user_fields, "gender", 0), "m");
    unload(&l);

    path = folder("2k");
    write_text("2k/user_artists.dat", "userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n");
    write_text("2k/artists.dat", "id\tname\turl\tpictureURL\n51\tDuran Duran\thttp://a\thttp://b\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "lastfm-2k", 1, 2, 2, 0);
    assert_string_equal(item_field(&l, "title", 0), "Duran Duran");
    assert_true(l.data->events.value[1] == 11690);
    unload(&l);
}

static void test_bookcrossing(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("BX-CSV-Dump");
    write_text("BX-CSV-Dump/BX-Book-Ratings.csv",
               "\"User-ID\";\"ISBN\";\"Book-Rating\"\r\n\"276725\";\"034545104X\";\"0\"\r\n\"276726\";\"0155061224\";\"5\"\r\n"
               "\"276727\";\"\";\"5\"\r\n\"276727\";\"0446520802\r\n");
    write_text("BX-CSV-Dump/BX-Books.csv",
               "\"ISBN\";\"Book-Title\";\"Book-Author\";\"Year-Of-Publication\";\"Publisher\";\"Image-URL-S\"\n"
               "\"034545104X\";\"Flesh &amp; \\\"Blood\\\"; Tones\";\"M. J. Ros\xe9\";\"2002\";\"Ballantine\";\"http://x\"\n");
    write_text("BX-CSV-Dump/BX-Users.csv", "\"User-ID\";\"Location\";\"Age\"\n\"276725\";\"nyc, usa\";NULL\n\"276726\";\"b\";\"18\"\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "book-crossing", 2, 2, 2, 2);
    assert_string_equal(type_of(&l, 0), "implicit");
    assert_true(isnan(l.data->events.value[0]));
    assert_string_equal(type_of(&l, 1), "rating");
    assert_true(l.data->events.value[1] == 5);
    assert_string_equal(item_field(&l, "title", 0), "Flesh &amp; \"Blood\"; Tones");
    assert_string_equal(item_field(&l, "author", 0), "M. J. Ros\xc3\xa9");
    assert_true(field_missing(fields_find(&l.data->user_fields, "age"), 0));
    assert_int_equal(fields_find(&l.data->user_fields, "age")->type, FIELD_INT);
    unload(&l);
}

static void test_retailrocket(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("retailrocket");
    write_text("retailrocket/events.csv", "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n"
                                          "1433224214164,992329,addtocart,248676,\n1433222276276,599528,transaction,248676,4000\n");
    write_text("retailrocket/item_properties_part1.csv",
               "timestamp,itemid,property,value\n1435460400000,355908,categoryid,1338\n1441508400000,248676,888,1116713 960601\n"
               "1436065200000,355908,available,1\n");
    write_text("retailrocket/item_properties_part2.csv",
               "timestamp,itemid,property,value\n1431226800000,355908,categoryid,1\n1439089200000,355908,available,0\n");
    write_text("retailrocket/category_tree.csv", "categoryid,parentid\n1338,213\n213,90\n90,\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "retailrocket", 3, 2, 3, 0);
    assert_int_equal(l.data->types.n, 3);
    assert_string_equal(item_field(&l, "categoryid", 0), "1338"); /* the newer one, though it comes first */
    assert_string_equal(item_field(&l, "available", 0), "0");
    assert_string_equal(item_field(&l, "category_parent", 0), "213");
    assert_string_equal(item_field(&l, "category_root", 0), "90");
    assert_null(fields_find(&l.data->item_fields, "888"));
    unload(&l);
    const struct mapping keep = {"keep", "888"};
    assert_int_equal(load_paths(&l, &path, 1, &keep, 1), ST_OK);
    assert_string_equal(item_field(&l, "888", 1), "1116713 960601");
    unload(&l);
}

static void test_deskdrop(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("deskdrop");
    write_text("deskdrop/users_interactions.csv",
               "timestamp,eventType,contentId,personId,sessionId,userAgent,userRegion,userCountry\n"
               "1465413032,VIEW,-3499919498720038879,-8845298781299428018,1264196770339959068,,,\n");
    write_text("deskdrop/shared_articles.csv",
               "timestamp,eventType,contentId,authorPersonId,authorSessionId,authorUserAgent,authorRegion,authorCountry,contentType,"
               "url,title,text,lang\n1459192779,CONTENT REMOVED,-6451309518266745024,4340306774493623681,1,,,,HTML,http://a,Ethereum,"
               "\"All of\nthis\",en\n1459193988,CONTENT SHARED,-3499919498720038879,4340306774493623681,1,,,,HTML,http://b,Bitcoin,x,pt\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "deskdrop", 1, 2, 1, 0);
    assert_string_equal(dict_text(&l.data->users, 0), "-8845298781299428018");
    assert_string_equal(item_field(&l, "title", 0), "Bitcoin");
    assert_string_equal(item_field(&l, "status", 1), "CONTENT REMOVED");
    assert_string_equal(item_field(&l, "lang", 0), "pt");
    assert_null(fields_find(&l.data->item_fields, "authorSessionId"));
    unload(&l);
}

static void test_recbole(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("ml-atomic");
    write_text("ml-atomic/ml.inter",
               "user_id:token\titem_id:token\trating:float\ttimestamp:float\tdevice:token\n196\t242\t3\t881250949\t07\n186\t302\t3.5\t891717742\t8\n");
    write_text("ml-atomic/ml.item",
               "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tw:float\n242\tKolya \"x\"\t1996\tComedy Drama\t0.5\n");
    write_text("ml-atomic/ml.user", "user_id:token\tage:token\tgender:token\n196\t49\tM\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "recbole", 2, 2, 2, 0);
    assert_true(l.data->events.value[1] == 3.5f);
    assert_int_equal(l.data->events.time[0], INT64_C(881250949) * US_PER_SECOND);
    assert_string_equal(context(&l, "device", 0), "07");
    assert_int_equal(fields_find(&l.data->events.context, "device")->type, FIELD_TEXT);
    assert_string_equal(item_field(&l, "title", 0), "Kolya \"x\"");
    assert_string_equal(item_field(&l, "class", 0), "Comedy|Drama");
    assert_int_equal(fields_find(&l.data->item_fields, "class")->type, FIELD_LIST);
    assert_int_equal(fields_find(&l.data->item_fields, "w")->type, FIELD_REAL);
    assert_int_equal(fields_find(&l.data->user_fields, "age")->type, FIELD_TEXT);
    unload(&l);
    path = folder("ml-parts");
    write_text("ml-parts/ml.train.inter", "user_id:token\titem_id:token\n1\ta\n");
    write_text("ml-parts/ml.test.inter", "user_id:token\titem_id:token\n1\tb\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "recbole", 1, 2, 2, 0);
    assert_string_equal(context(&l, "part", 0), "test");
    unload(&l);
    assert_int_equal(load_text(&l, "bad.inter", "user_id:token\titem_id\n1\ta\n"), ST_FORMAT);
    assert_non_null(strstr(l.err.message, "\"item_id\" has no type"));
}

static void test_openbandit(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("men");
    write_text("men/men.csv",
               ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,user-item_affinity_0,user-item_affinity_1\n"
               "0,2019-11-24 00:03:13.442536+00:00,1,3,0,0.0294,cef3390ed299c098,03a5648a,0.0,0.25\n"
               "1,2019-11-24 00:03:36.705207+00:00,0,1,1,0.5,cef3390ed299c098,03a5648a,0.5,0.0\n"
               "2,2019-11-24 00:03:36.705207+00:00,0,1,2,0.5,cef3390ed299c098,03a5648a,0.5,0.0\n");
    write_text("men/item_context.csv", ",item_id,item_feature_0\n0,0,-0.67\n1,1,-0.72\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "open-bandit", 1, 2, 2, 1);
    assert_string_equal(l.last_reason, "click is neither 0 nor 1");
    assert_string_equal(dict_text(&l.data->users, 0), "cef339-03a564");
    assert_string_equal(type_of(&l, 0), "impression");
    assert_string_equal(type_of(&l, 1), "click");
    assert_true(l.data->type_weight[l.data->events.type[0]] == 0);
    assert_true(l.data->events.value[1] == 1);
    assert_string_equal(context(&l, "propensity_score", 1), "0.5");
    assert_string_equal(context(&l, "position", 0), "3");
    assert_string_equal(context(&l, "affinity", 0), "0.25");
    assert_string_equal(item_field(&l, "item_feature_0", 1), "-0.67");
    assert_string_equal(cell_text(&l.data->user_fields, "user_feature_1", 0), "03a5648a");
    unload(&l);
    const struct mapping row = {"user", "row"};
    assert_int_equal(load_paths(&l, &path, 1, &row, 1), ST_OK);
    assert_int_equal(l.data->users.n, 2);
    unload(&l);
}

static void test_matrix(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("coat");
    struct str zeros = {0};
    str_repeat(&zeros, " 0", 25);
    char text[512];
    snprintf(text, sizeof text, "5 0%s\n0 0%s\n", str_text(&zeros), str_text(&zeros));
    write_text("coat/train.ascii", text);
    snprintf(text, sizeof text, "0 0%s\n0 3%s\n0 4\n", str_text(&zeros), str_text(&zeros));
    write_text("coat/test.ascii", text);
    snprintf(text, sizeof text, ".5 .25%s\n.1 .125%s\n", str_text(&zeros), str_text(&zeros));
    write_text("coat/propensities.ascii", text);
    write_text("coat/user_features.ascii", "0 1 1\r\n1 0 0\r\n");
    write_text("coat/user_features_map.txt", "gender:men\ngender:women\nlocation:rural\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "matrix", 2, 27, 2, 1);
    assert_string_equal(l.last_reason, "not as wide as the rows before");
    assert_string_equal(context(&l, "part", 0), "train");
    assert_string_equal(context(&l, "propensity", 0), "0.5");
    assert_string_equal(context(&l, "propensity", 1), "0.125");
    assert_string_equal(dict_text(&l.data->items, l.data->events.item[1]), "2");
    assert_string_equal(cell_text(&l.data->user_fields, "gender", 0), "women");
    assert_string_equal(cell_text(&l.data->user_fields, "gender", 1), "men");
    assert_true(field_missing(fields_find(&l.data->user_fields, "location"), 1));
    unload(&l);
    str_free(&zeros);
}

static void test_sequences(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("Beauty");
    write_text("Beauty/Beauty.txt", "1 4 2 3\n2 2 83\n");
    write_text("Beauty/Beauty_item2attributes.json", "{\"4\": [1, 2, 1], \"83\": [4], \"9\": [4, 5]}");
    write_text("Beauty/Beauty_sample.txt", "1 7 8 9\n2 1\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "lists", 2, 5, 5, 0);
    assert_string_equal(item_field(&l, "attributes", 0), "1|2");
    assert_string_equal(dict_text(&l.data->items, 4), "9");
    assert_string_equal(item_field(&l, "attributes", 4), "4|5");
    unload(&l);
    assert_int_equal(load_path(&l, scratch_path("Beauty/Beauty_sample.txt")), ST_OK);
    assert_string_equal(type_of(&l, 0), "negative");
    assert_true(l.data->type_weight[0] == 0);
    unload(&l);

    path = folder("gsasrec");
    write_text("gsasrec/train_input.txt", "1 2 3\n5 6\n");
    write_text("gsasrec/test_output.txt", "9\n7\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "lists", 2, 7, 7, 0);
    assert_string_equal(dict_text(&l.data->items, l.data->events.item[3]), "9");
    assert_string_equal(context(&l, "part", 3), "test");
    unload(&l);

    path = folder("ncf");
    write_text("ncf/ml.train.rating", "0\t32\t4\t978824330\n0\t34\t4\t978824330\n");
    write_text("ncf/ml.test.rating", "0\t25\t5\t978824351\n");
    write_text("ncf/ml.test.negative", "(0,25)\t1064\t174\t\nbroken\t1\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "ncf", 1, 3, 3, 0);
    assert_string_equal(context(&l, "part", 2), "test");
    unload(&l);
    assert_int_equal(load_path(&l, scratch_path("ncf/ml.test.negative")), ST_OK);
    check_counts(&l, "ncf", 1, 3, 3, 1);
    assert_string_equal(type_of(&l, 2), "negative");
    unload(&l);
}

static void test_shops(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = folder("steam");
    write_text("steam/game_purchase.dat", "User_ID\tGame_ID\tPurchase\n1\t1\t1.0\n1\t2\t1.0\n");
    write_text("steam/game_play.dat", "User_ID\tGame_ID\tHours\n1\t1\t273.0\n");
    write_text("steam/item_info.dat", "Game_ID\tGame Name\n1\tSkyrim\n2\tFallout 4\n");
    write_text("steam/user_info.dat", "New_ID\tReal_ID\n1\t151603712\n");
    assert_int_equal(load_path(&l, path), ST_OK);
    check_counts(&l, "steam", 1, 2, 3, 0);
    assert_string_equal(type_of(&l, 0), "purchase");
    assert_string_equal(type_of(&l, 2), "play");
    assert_true(l.data->events.value[2] == 273);
    assert_string_equal(item_field(&l, "title", 1), "Fallout 4");
    assert_string_equal(cell_text(&l.data->user_fields, "steam_id", 0), "151603712");
    unload(&l);

    LOADS(&l, "tags.csv", "userId,movieId,tag,timestamp\n2,60756,funny,1445714994\n2,60756,will ferrell,1445714992\n3,60756,funny,1445714999\n");
    check_counts(&l, "movielens-tags", 2, 1, 3, 0);
    assert_string_equal(type_of(&l, 0), "tag");
    assert_string_equal(context(&l, "tag", 0), "will ferrell");
    struct dataset *next;
    struct reject_sink sink = {&l, count_reject};
    assert_int_equal(ingest_attributes(l.data, ATTRIBUTES_OF_ITEMS, scratch_path("tags.csv"), NULL, 0, &sink, NULL, &next,
                                       &l.report, &l.err),
                     ST_OK);
    assert_string_equal(cell_text(&next->item_fields, "tags", 0), "funny|will ferrell");
    dataset_release(next);
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amazon),    cmocka_unit_test(test_lastfm),   cmocka_unit_test(test_bookcrossing),
        cmocka_unit_test(test_retailrocket), cmocka_unit_test(test_deskdrop), cmocka_unit_test(test_recbole),
        cmocka_unit_test(test_openbandit), cmocka_unit_test(test_matrix),  cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_shops),
    };
    return cmocka_run_group_tests_name("ingest_logs", tests, NULL, remove_scratch);
}
