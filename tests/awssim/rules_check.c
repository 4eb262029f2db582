/* POST /rules: one verdict, or one for each pair. Nothing is changed. */
#include "tests/awssim/rules_check.h"

#include <string.h>

#include "tests/awssim/import_rules.h"

static struct slice text_of(const json_t *value)
{
	const char *text = json_string_value(value);
	return text != NULL ? slice_of(text) : (struct slice){NULL, 0};
}

static void add_verdict(struct out *out, bool is_allowed, const struct import_refusal *why)
{
	json_open(out, '{');
	json_member_bool(out, "allowed", is_allowed);
	json_member(out, "code", is_allowed ? NULL : why->code);
	json_member(out, "message", is_allowed ? NULL : why->message);
	json_close(out, '}');
}

/* Only the conditions of a reimport. A text that is no certificate is refused. */
static void judge_pair(struct slice old_pem, struct slice new_pem, struct out *out)
{
	struct import_refusal why;
	struct import_face old_face, new_face;
	struct held *old = import_read_certificate(old_pem, &why);
	struct held *fresh = old != NULL ? import_read_certificate(new_pem, &why) : NULL;
	bool is_allowed = fresh != NULL;
	if (is_allowed) {
		import_face_of(old, &old_face);
		import_face_of(fresh, &new_face);
		is_allowed = import_may_replace(&old_face, &new_face, &why);
	}
	add_verdict(out, is_allowed, &why);
	held_free(old);
	held_free(fresh);
}

/* All rules of an import, and with old those of a reimport. */
static void judge_import(const struct sim *sim, const json_t *order, struct out *out)
{
	struct import_refusal why;
	struct import_face old_face, new_face;
	struct import_request request = {
		.certificate = text_of(json_object_get(order, "certificate")),
		.private_key = text_of(json_object_get(order, "private_key")),
		.chain = text_of(json_object_get(order, "chain")),
		.now_s = sim_now_s(sim)};
	struct slice old_pem = text_of(json_object_get(order, "old"));
	struct held *fresh = import_read(&request, &why), *old = NULL;
	bool is_allowed = fresh != NULL;
	if (is_allowed && old_pem.ptr != NULL) {
		old = import_read_certificate(old_pem, &why);
		is_allowed = old != NULL;
		if (is_allowed) {
			import_face_of(old, &old_face);
			import_face_of(fresh, &new_face);
			is_allowed = import_may_replace(&old_face, &new_face, &why);
		}
	}
	add_verdict(out, is_allowed, &why);
	held_free(old);
	held_free(fresh);
}

bool rules_check(const struct sim *sim, const json_t *order, struct out *out, const char **ret_why)
{
	const json_t *pairs = json_object_get(order, "pairs");
	*ret_why = "certificate and private_key, or pairs of two PEM texts each";
	if (pairs == NULL) {
		if (text_of(json_object_get(order, "certificate")).ptr == NULL ||
			text_of(json_object_get(order, "private_key")).ptr == NULL)
			return false;
		judge_import(sim, order, out);
		return true;
	}
	for (size_t i = 0; i < json_array_size(pairs); i++)
		for (size_t k = 0; k < 2; k++)
			if (text_of(json_array_get(json_array_get(pairs, i), k)).ptr == NULL)
				return false;
	json_open(out, '{');
	json_key(out, "verdicts");
	json_open(out, '[');
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		judge_pair(text_of(json_array_get(pair, 0)), text_of(json_array_get(pair, 1)), out);
	}
	json_close(out, ']');
	json_close(out, '}');
	return true;
}
