#include "base/text.h"

#include <string.h>

static bool is_third(uint8_t second, uint8_t third)
{
	return (second == 0x80 && third >= 0xa8 && third <= 0xae) || (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

size_t text_control(struct bytes text)
{
	if (text.n >= 1 && (text.p[0] < 0x20 || text.p[0] == 0x7f))
		return 1;
	if (text.n >= 2 && text.p[0] == 0xc2 && text.p[1] >= 0x80 && text.p[1] <= 0x9f)
		return 2;
	return text.n >= 3 && text.p[0] == 0xe2 && is_third(text.p[1], text.p[2]) ? 3 : 0;
}

bool text_is_plain(struct bytes text)
{
	for (; text.n > 0; text = bytes_cut(text, 1, text.n)) {
		if (text_control(text) > 0)
			return false;
	}
	return true;
}

void text_make_plain(char *text)
{
	for (size_t i = 0, left = strlen(text); left > 0; i++, left--) {
		size_t n = text_control(bytes_of(text + i, left));

		memset(text + i, '?', n);
	}
}
