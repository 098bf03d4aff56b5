#include "auth/onetime.h"

#include <stdlib.h>
#include <string.h>

#include "auth/challenge.h"
#include "auth/values.h"
#include "base/mem.h"
#include "pki/name.h"

#define VALUE_NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* What templates have of every challenge: challenge_check() in store/sql. */
static const char *const taken[] = {"id", "device", "dns", "ip", "email", "uri", "upn"};

static size_t length(char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

static char **with(char **list, char *text)
{
	size_t n = length(list);

	list = mem_resize(list, (n + 2) * sizeof(*list));
	list[n] = text;
	list[n + 1] = NULL;
	return list;
}

static void list_free(char **list)
{
	for (char **p = list; p != NULL && *p != NULL; p++)
		free(*p);
	free(list);
}

/* What the enrolment would not take later is refused now, when somebody is there to read why. */
static bool is_value(const char *name, const char *text)
{
	struct values scratch = {0};
	bool ok = values_add(&scratch, "challenge", name, bytes_str(text));

	values_free(&scratch);
	return ok;
}

/* The two are compared as text. */
enum err onetime_set_subject(struct store_challenge *c, const char *text, struct why *why)
{
	struct buf der = {0}, canonical = {0};
	enum err err = name_parse(text, &der, why);

	if (err == ERR_OK)
		err = name_text(buf_bytes(&der), &canonical, why);
	if (err == ERR_OK) {
		free(c->subject);
		c->subject = buf_take_str(&canonical);
	}
	buf_free(&der);
	buf_free(&canonical);
	return err;
}

enum err onetime_set_device(struct store_challenge *c, const char *text, struct why *why)
{
	size_t n = strlen(text);

	if (n == 0 || n > ONETIME_DEVICE_MAX)
		return fail(why, ERR_INPUT, "a device is named by 1 to %d octets, not %zu", ONETIME_DEVICE_MAX, n);
	if (!is_value("device", text))
		return fail(why, ERR_INPUT, "a device's name is clean UTF-8, without control characters");
	free(c->device);
	c->device = mem_strdup(text);
	return ERR_OK;
}

enum err onetime_set_uses(struct store_challenge *c, long uses, struct why *why)
{
	if (uses < 1 || uses > ONETIME_USES_MAX)
		return fail(why, ERR_INPUT, "a challenge is good for 1 to %d certificates, not %ld", ONETIME_USES_MAX, uses);
	c->uses_left = (int)uses;
	return ERR_OK;
}

enum err onetime_set_life(struct store_challenge *c, time_t now, time_t expires, struct why *why)
{
	if (expires <= now)
		return fail(why, ERR_INPUT, "the challenge would have expired already");
	if (expires - now > ONETIME_LIFE_MAX)
		return fail(why, ERR_INPUT, "the challenge would live for %ld days, %ld at most", (long)(expires - now) / 86400, ONETIME_LIFE_MAX / 86400);
	c->created = now;
	c->expires = expires;
	return ERR_OK;
}

enum err onetime_add_san(struct store_challenge *c, const char *text, struct why *why)
{
	struct buf key = {0};
	enum err err = san_canonical(text, &key, why);

	if (err == ERR_OK && !is_value("name", strchr(buf_str(&key), ':') + 1))
		err = fail(why, ERR_INPUT, "'%.60s' is too long (%d octets), or no clean UTF-8", text, VALUE_TEXT_MAX);
	if (err == ERR_OK && length(c->sans) == ONETIME_SANS_MAX)
		err = fail(why, ERR_INPUT, "more than %d names", ONETIME_SANS_MAX);
	for (char **p = c->sans; err == ERR_OK && p != NULL && *p != NULL; p++) {
		if (strcmp(*p, buf_str(&key)) == 0)
			err = fail(why, ERR_INPUT, "the name '%.80s' is there twice", *p);
	}
	if (err == ERR_OK)
		c->sans = with(c->sans, buf_take_str(&key));
	buf_free(&key);
	return err;
}

static enum err check_value(const char *name, const char *text, struct why *why)
{
	if (*name == '\0' || strspn(name, VALUE_NAME) != strlen(name))
		return fail(why, ERR_INPUT, "'%.60s' is no name for a value: letters, digits, '_' and '-'", name);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(name, taken[i]) == 0)
			return fail(why, ERR_INPUT, "'%s' is %s: give the value another name", name,
			    i == 0 ? "the challenge's own" : "what the challenge is bound to");
	}
	if (!is_value(name, text))
		return fail(why, ERR_INPUT, "the value '%.60s' is too long (%d octets with its name, %d of text), or its text is not clean UTF-8", name,
		    VALUE_NAME_MAX - (int)strlen("challenge."), VALUE_TEXT_MAX);
	return ERR_OK;
}

enum err onetime_add_value(struct store_challenge *c, const char *name, const char *text, struct why *why)
{
	if (check_value(name, text, why) != ERR_OK)
		return ERR_INPUT;
	if (length(c->values) == 2 * (size_t)ONETIME_VALUES_MAX)
		return fail(why, ERR_INPUT, "more than %d values", ONETIME_VALUES_MAX);
	for (char **p = c->values; p != NULL && *p != NULL; p += 2) {
		if (strcmp(*p, name) == 0)
			return fail(why, ERR_INPUT, "the value '%.60s' is there twice", name);
	}
	c->values = with(with(c->values, mem_strdup(name)), mem_strdup(text));
	return ERR_OK;
}

enum err onetime_make(struct store *s, struct store_challenge *c, struct buf *secret, struct why *why)
{
	struct buf fresh = {0};
	enum err err = challenge_generate(&fresh, why);

	if (err == ERR_OK)
		err = store_challenge_add(s, buf_bytes(&fresh), c, why);
	if (err == ERR_OK)
		buf_add_bytes(secret, buf_bytes(&fresh));
	buf_wipe(&fresh);
	return err;
}

void onetime_free(struct store_challenge *c)
{
	free(c->id);
	free(c->profile);
	free(c->subject);
	free(c->device);
	free(c->created_by);
	list_free(c->sans);
	list_free(c->values);
	*c = (struct store_challenge){0};
}
