/* Reading an operation's input, and paging. */
#include <stdio.h>
#include <string.h>

#include "tests/awssim/service.h"

bool input_text(struct call *call, const char *key, const char **ret_text)
{
	json_t *value = json_object_get(call->input, key);
	if (value == NULL || json_is_null(value)) {
		*ret_text = NULL;
		return true;
	}
	if (!json_is_string(value)) {
		call_fail_common(call, ERROR_MALFORMED, "%s must be a string", key);
		return false;
	}
	*ret_text = json_string_value(value);
	return true;
}

bool input_int(struct call *call, const char *key, int64_t min, int64_t max, int64_t *value)
{
	json_t *given = json_object_get(call->input, key);
	if (given == NULL || json_is_null(given))
		return true;
	if (!json_is_integer(given)) {
		call_fail_common(call, ERROR_MALFORMED, "%s must be an integer", key);
		return false;
	}
	int64_t number = json_integer_value(given);
	if (number < min || number > max) {
		call_fail_common(call, ERROR_INVALID,
			"1 validation error detected: Value '%lld' at '%s' failed to satisfy constraint: "
			"Member must be between %lld and %lld",
			(long long)number, key, (long long)min, (long long)max);
		return false;
	}
	*value = number;
	return true;
}

bool form_text(const struct call *call, const char *name, char *ret_text, size_t size)
{
	struct slice value = form_value(call->form, name);
	return value.ptr != NULL && form_decode(value, ret_text, size);
}

void add_unknown_member(const struct call *call, struct out *out, uint64_t draw)
{
	if (hash_below(draw, call->sim->world->seed, 5) != 0)
		return;
	json_key(out, "XFutureMember");
	json_raw(out, hash_below(draw, 1, 2) == 0 ? "{\"Mode\":\"NEW\",\"Levels\":[1,2.5e3,null]}"
						  : "\"NOT_KNOWN_YET\"");
}

static void make_token(
	uint64_t belongs_to, uint64_t position, uint64_t step, char ret_token[PAGE_TOKEN_MAX])
{
	uint64_t check = hash_mix(hash_mix(belongs_to, position), step);
	snprintf(ret_token, PAGE_TOKEN_MAX,
		"v1%016llx%08llx%016llx==", (unsigned long long)position,
		(unsigned long long)(step & 0xffffffff), (unsigned long long)check);
}

static uint64_t number_of(const unsigned char *bytes, size_t len)
{
	uint64_t number = 0;
	for (size_t i = 0; i < len; i++)
		number = number << 8 | bytes[i];
	return number;
}

bool page_open(struct page *page, const struct call *call, const char *token, uint64_t belongs_to)
{
	*page = (struct page){.call = call, .belongs_to = belongs_to};
	if (call->fault != NULL) {
		page->is_endless = call->fault->kind == FAULT_ENDLESS_TOKEN;
		page->is_repeated = call->fault->kind == FAULT_REPEAT_PAGE;
	}
	if (token == NULL)
		return true;
	unsigned char bytes[12];
	char again[PAGE_TOKEN_MAX];
	if (strlen(token) != 44 || !hex_decode((struct slice){token + 2, 24}, bytes, sizeof(bytes)))
		return false;
	page->position = number_of(bytes, 8);
	page->step = number_of(bytes + 8, 4);
	make_token(belongs_to, page->position, page->step, again);
	if (strcmp(token, again) != 0)
		return false;
	if (page->is_endless || page->is_repeated)
		page->position = 0;
	if (page->is_repeated)
		page->step = 0;
	return true;
}

uint64_t page_size(const struct page *page, uint64_t wanted)
{
	if (!page->call->sim->options.awkward_pages)
		return wanted;
	uint64_t draw = hash_mix(hash_mix(page->belongs_to, page->position), page->step);
	if (page->step % 2 == 0 && draw % 3 == 0)
		return 0; /* never two empty ones in a row */
	return draw % 3 == 1 ? 1 + hash_below(draw, 1, wanted) : wanted;
}

bool page_next(const struct page *page, uint64_t next, bool more, char ret_token[PAGE_TOKEN_MAX])
{
	if (!more && !page->is_endless && !page->is_repeated)
		return false;
	make_token(page->belongs_to, next, page->step + 1, ret_token);
	return true;
}
