/* Changes to an INI file: the line that was meant, and nothing else. */
#include "unit.h"

#include "conf/edit.h"

static const struct {
	const char *before, *section, *key, *value, *after;
} sets[] = {
    /* a new section, in an empty file and at the end of one whose last line has no end */
    {"", "ca", "key", "k", "[ca]\nkey = k\n"},
    {"[ca]\nkey = k", "ra", "key", "r", "[ca]\nkey = k\n\n[ra]\nkey = r\n"},
    /* the line that is there, in any case and spacing, with its comments around it */
    {"[ca]\n# mine\nkey = k\n# more\n", "ca", "key", "n", "[ca]\n# mine\nkey = n\n# more\n"},
    {"[CA]\r\n  Key=k ; old\r\n", "ca", "key", "n", "[CA]\r\nkey = n\n"},
    {"[ ca ] # here\nkey = k\n", "ca", "key", "n", "[ ca ] # here\nkey = n\n"},
    /* the same key of another section is somebody else's */
    {"[ra]\nkey = r\n[ca]\nkey = k\n", "ca", "key", "n", "[ra]\nkey = r\n[ca]\nkey = n\n"},
    {"[ra]\nkey = r\n[ca]\ncertificate = c\n", "ca", "key", "n", "[ra]\nkey = r\n[ca]\ncertificate = c\nkey = n\n"},
    /* the example of it gives way, unless the key itself stands there, too */
    {"[ca]\n# The key.\n#key = k\n\n[ra]\n", "ca", "key", "n", "[ca]\n# The key.\nkey = n\n\n[ra]\n"},
    {"[ca]\n#key = old\nkey = k\n", "ca", "key", "n", "[ca]\n#key = old\nkey = n\n"},
    {"[ca]\n#key = old\nkey = k\n", "ca", "key", NULL, "[ca]\n#key = old\n"},
    /* a sentence with a '=' in it is no example */
    {"[ca]\n# set key = to what you like\n", "ca", "key", "n", "[ca]\nkey = n\n# set key = to what you like\n"},
    /* last of its section, but before what introduces the next one */
    {"[ca]\ncertificate = c\n\n# the RA\n[ra]\nkey = r\n", "ca", "key", "n", "[ca]\ncertificate = c\nkey = n\n\n# the RA\n[ra]\nkey = r\n"},
    {"[ca]\n[ra]\n", "ca", "key", "n", "[ca]\nkey = n\n[ra]\n"},
    /* taken out */
    {"[ca]\nkey = k\npin_file = p\n", "ca", "pin_file", NULL, "[ca]\nkey = k\n"},
    {"[ca]\nkey = k\n", "ca", "pin_file", NULL, "[ca]\nkey = k\n"},
    {"[ca]\nkey = k\n", "ra", "key", NULL, "[ca]\nkey = k\n"},
    /* quotes */
    {"", "ca", "key", "pkcs11:token=x;object=y", "[ca]\nkey = \"pkcs11:token=x;object=y\"\n"},
    {"", "ca", "key", "say \"x\"", "[ca]\nkey = 'say \"x\"'\n"},
    {"[ca]\nkey = \"a;b\"\n", "ca", "key", "n", "[ca]\nkey = n\n"},
};

static const struct {
	const char *before, *section, *after;
} clears[] = {
    {"[ca]\nkey = k\n\n[old_ra]\nkey = o\nuntil = u\n", "old_ra", "[ca]\nkey = k\n\n"},
    {"[old_ra]\nkey = o\n[ca]\nkey = k\n", "old_ra", "[ca]\nkey = k\n"},
    {"[old_ra]\n# mine\nkey = o\n[ca]\n", "old_ra", "[old_ra]\n# mine\n[ca]\n"},
    {"[ca]\nkey = k\n", "old_ra", "[ca]\nkey = k\n"},
    {"", "old_ra", ""},
    {"[Old_RA]\nkey = o", "old_ra", ""},
};

static void expect(struct buf *text, const char *after)
{
	if (!bytes_eq_str(buf_bytes(text), after))
		fail_msg("expected:\n%s\nmade:\n%.*s", after, (int)text->n, buf_str(text));
	buf_free(text);
}

static void set(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct buf text = {0};

		buf_add_str(&text, sets[i].before);
		edit_set(&text, sets[i].section, sets[i].key, sets[i].value);
		expect(&text, sets[i].after);
	}
}

static void clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(clears) / sizeof(clears[0]); i++) {
		struct buf text = {0};

		buf_add_str(&text, clears[i].before);
		edit_clear(&text, clears[i].section);
		expect(&text, clears[i].after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set),
	    cmocka_unit_test(clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
