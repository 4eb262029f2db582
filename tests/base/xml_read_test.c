#include "base/xml_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/read_file.h"

static struct xml_document *read_text(const char *text)
{
	struct err err = ERR_INIT;
	struct xml_document *document = xml_read(text, strlen(text), &err);
	if (document == NULL)
		fail_msg("%s: %s", text, err.text);
	return document;
}

static struct xml_document *read_fixture(const char *name)
{
	size_t len = 0;
	char *text = read_data("xml", name, "", &len);
	struct err err = ERR_INIT;
	struct xml_document *document = xml_read(text, len, &err);
	if (document == NULL)
		fail_msg("%s: %s", name, err.text);
	free(text);
	return document;
}

static void check_refused(const char *text, size_t len, enum err_kind kind, const char *part)
{
	struct err err = ERR_INIT;
	struct xml_document *document = xml_read(text, len, &err);
	if (document != NULL)
		fail_msg("%.*s passed", (int)len, text);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static void answer_of_assume_role(void **state)
{
	(void)state;
	struct xml_document *document = read_fixture("sts_assume_role.xml");
	const struct xml_element *root = xml_root(document);
	assert_string_equal(xml_name(root), "AssumeRoleResponse");
	assert_string_equal(xml_text(root), ""); /* it has children: blanks between them are none */
	const struct xml_element *credentials = xml_child(root, "AssumeRoleResult/Credentials");
	assert_non_null(credentials);
	assert_string_equal(xml_child_text(credentials, "AccessKeyId"), "ASIAEXAMPLE0000000001");
	assert_string_equal(xml_child_text(credentials, "SessionToken"),
		"example//////////token+0000000000000000000000000000000000000000000000000000==");
	assert_string_equal(xml_child_text(root, "ResponseMetadata/RequestId"),
		"c6104cbe-af31-11e0-8154-cbc7ccf896c7");
	xml_free(document);
}

static void answer_of_describe_regions(void **state)
{
	(void)state;
	static const char *const expected[][3] = {
		{"eu-central-1", "ec2.eu-central-1.amazonaws.com", "opt-in-not-required"},
		{"af-south-1", "ec2.af-south-1.amazonaws.com", "not-opted-in"},
		{"us-east-1", "", ""},
	};
	struct xml_document *document = read_fixture("ec2_describe_regions.xml");
	const struct xml_element *item = xml_child(xml_root(document), "regionInfo/item");
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(item);
		assert_string_equal(xml_name(item), "item");
		assert_string_equal(xml_child_text(item, "regionName"), expected[i][0]);
		assert_string_equal(xml_child_text(item, "regionEndpoint"), expected[i][1]);
		assert_string_equal(xml_child_text(item, "optInStatus"), expected[i][2]);
		item = xml_next(item);
	}
	assert_null(item);
	xml_free(document);
}

static void predefined_entities_and_character_references_are_read(void **state)
{
	(void)state;
	struct xml_document *document = read_fixture("sts_error.xml");
	assert_string_equal(xml_child_text(xml_root(document), "Error/Message"),
		"User: arn:aws:iam::123456789012:user/hub is not authorized to perform: "
		"sts:AssumeRole on resource: arn:aws:iam::210987654321:role/\"x\" <&> \xe2\x9c\x93");
	xml_free(document);
}

static void answers_cut_at_any_byte_are_refused(void **state)
{
	(void)state;
	static const char *const name[] = {
		"sts_assume_role.xml", "sts_error.xml", "ec2_describe_regions.xml"};
	for (size_t i = 0; i < 3; i++) {
		size_t len = 0;
		char *text = read_data("xml", name[i], "", &len);
		while (text[len - 1] == '\n')
			len--;
		for (size_t cut = 0; cut < len; cut++) {
			char *copy = xmalloc(cut); /* exactly, so that a byte too many is seen */
			memcpy(copy, text, cut);
			check_refused(copy, cut, ERR_PROTOCOL, "");
			free(copy);
		}
		free(text);
	}
}

static void lookup_goes_by_local_name_and_path(void **state)
{
	(void)state;
	struct xml_document *document =
		read_text("<n:r xmlns:n='urn:x'><a>1</a><ab>2</ab><n:a x='y'> 3 </n:a>"
			  "<b><c>4</c></b><b><c>5</c><d/></b><e>x<f/>y</e></n:r>");
	const struct xml_element *root = xml_root(document);
	assert_string_equal(xml_name(root), "r");
	const struct xml_element *a = xml_child(root, "a");
	assert_string_equal(xml_text(a), "1");
	a = xml_next(a);
	assert_string_equal(xml_text(a), "3");
	assert_null(xml_next(a));
	assert_null(xml_child(root, "c"));
	assert_null(xml_child(root, "A"));
	assert_null(xml_child(root, ""));
	assert_null(xml_child(root, "b/"));
	assert_null(xml_child(root, "/b"));
	assert_null(xml_child(root, "a/a"));
	assert_string_equal(xml_child_text(root, "b/c"), "4");
	assert_null(xml_child_text(root, "b/d")); /* a path follows the first b only */
	assert_string_equal(xml_child_text(xml_next(xml_child(root, "b")), "d"), "");
	assert_string_equal(xml_child_text(root, "e"), "");
	assert_null(xml_next(root));
	assert_null(xml_child(a, "x"));
	xml_free(document);
	xml_free(NULL);
}

static void text_in_pieces_is_joined(void **state)
{
	(void)state;
	struct xml_document *document =
		read_text("<r> &#13;\r\n\ta<![CDATA[<b>]]><!-- c -->&amp;&#100;<?e?>f\t </r>");
	assert_string_equal(xml_text(xml_root(document)), "a<b>&df");
	xml_free(document);
	document = read_text("<r> \n </r>");
	assert_string_equal(xml_text(xml_root(document)), "");
	xml_free(document);
}

static void declared_encoding_is_not_believed(void **state)
{
	(void)state;
	struct xml_document *document =
		read_text("<?xml version='1.0' encoding='ISO-8859-1'?><r>caf\xc3\xa9</r>");
	assert_string_equal(xml_text(xml_root(document)), "caf\xc3\xa9");
	xml_free(document);
}

static void hostile_documents_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum err_kind kind;
		const char *part;
	} hostile[] = {
		{"billion_laughs.xml", ERR_PROTOCOL, "a DOCTYPE"},
		{"billion_laughs_in_attributes.xml", ERR_PROTOCOL, "a DOCTYPE"},
		{"recursive_entity.xml", ERR_PROTOCOL, "a DOCTYPE"},
		{"xxe_file.xml", ERR_PROTOCOL, "line 2, column 13: XML with a DOCTYPE"},
		{"xxe_network.xml", ERR_PROTOCOL, "a DOCTYPE"},
		{"parameter_entity.xml", ERR_PROTOCOL, "a DOCTYPE"},
		{"default_attributes.xml", ERR_PROTOCOL, "a DOCTYPE"},
		{"bare_doctype.xml", ERR_PROTOCOL, "a DOCTYPE"},
		{"late_doctype.xml", ERR_PROTOCOL, "not well-formed"},
		{"unknown_entity.xml", ERR_PROTOCOL, "an unknown entity"},
		{"unknown_entity_in_attribute.xml", ERR_PROTOCOL, "an unknown entity"},
		{"nul_reference.xml", ERR_PROTOCOL, "an invalid character"},
		{"surrogate_reference.xml", ERR_PROTOCOL, "an invalid character"},
		{"reference_beyond_unicode.xml", ERR_PROTOCOL, "an invalid character"},
		{"control_character.xml", ERR_PROTOCOL, "an invalid character"},
		{"broken_utf8.xml", ERR_PROTOCOL, "not XML in UTF-8"},
		{"nul.xml", ERR_PROTOCOL, "not XML in UTF-8"},
		{"utf16.xml", ERR_PROTOCOL, "not XML in UTF-8"},
		{"utf16_without_mark.xml", ERR_PROTOCOL, "not XML in UTF-8"},
		{"repeated_attribute.xml", ERR_PROTOCOL, "not well-formed"},
		{"two_roots.xml", ERR_PROTOCOL, "something follows the document"},
		{"wrong_end_tag.xml", ERR_PROTOCOL, "an end tag that does not match"},
		{"gateway_timeout.html", ERR_PROTOCOL, "line 1"},
		{"json.txt", ERR_PROTOCOL, "no XML"},
		{"nested_too_deep.xml", ERR_LIMIT, "line 1, column 99: XML nested too deep"},
	};
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		size_t len = 0;
		char *text = read_data("xml/hostile", hostile[i].name, "", &len);
		struct err err = ERR_INIT;
		struct xml_document *document = xml_read(text, len, &err);
		if (document != NULL || err.kind != hostile[i].kind ||
			strstr(err.text, hostile[i].part) == NULL)
			fail_msg("%s: %s", hostile[i].name, err.text);
		free(text);
	}
	check_refused("", 0, ERR_PROTOCOL, "empty");
	check_refused("  ", 2, ERR_PROTOCOL, "line 1");
	check_refused("<r/>", SIZE_MAX, ERR_LIMIT, "too large");
}

static void messages_never_quote_the_document(void **state)
{
	(void)state;
	static const char *const secret[] = {"<r>hush</hush>", "<r>hush & hush</r>",
		"<hush>&hush;</hush>", "hush", "<r hush=hush>", "<r/>hush", "<r hush='' hush=''/>",
		"<hush:r/><", "<r>hush"};
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
		struct err err = ERR_INIT;
		assert_null(xml_read(secret[i], strlen(secret[i]), &err));
		assert_null(strstr(err.text, "hush"));
	}
}

static char *repeat(const char *before, const char *item, size_t count, const char *after)
{
	size_t item_len = strlen(item);
	char *text = xmalloc(strlen(before) + count * item_len + strlen(after) + 1);
	char *at = stpcpy(text, before);
	for (size_t i = 0; i < count; i++, at += item_len)
		memcpy(at, item, item_len);
	stpcpy(at, after);
	return text;
}

static void depth_is_limited(void **state)
{
	(void)state;
	char *deepest = repeat("", "<r>", XML_DEPTH_MAX - 1, "<r>x</r>");
	char *closed = repeat(deepest, "</r>", XML_DEPTH_MAX - 1, "");
	struct xml_document *document = read_text(closed);
	const struct xml_element *element = xml_root(document);
	for (int i = 1; i < XML_DEPTH_MAX; i++)
		element = xml_child(element, "r");
	assert_string_equal(xml_text(element), "x");
	xml_free(document);
	free(deepest);
	free(closed);
	char *endless = repeat("", "<r>", 1000000, "");
	check_refused(endless, strlen(endless), ERR_LIMIT, "nested too deep");
	free(endless);
}

static void number_of_elements_is_limited(void **state)
{
	(void)state;
	char *most = repeat("<r>", "<i/>", XML_ELEMENTS_MAX - 1, "</r>");
	struct xml_document *document = read_text(most);
	size_t count = 0;
	for (const struct xml_element *item = xml_child(xml_root(document), "i"); item != NULL;
		item = xml_next(item))
		count++;
	assert_int_equal(count, XML_ELEMENTS_MAX - 1);
	xml_free(document);
	free(most);
	char *too_many = repeat("<r>", "<i/>", XML_ELEMENTS_MAX, "</r>");
	check_refused(too_many, strlen(too_many), ERR_LIMIT, "too many elements");
	free(too_many);
}

/* One long text, then many elements: what a text once needed must not cost each element. */
static void long_text_before_many_elements_is_read_in_time(void **state)
{
	(void)state;
	char *texts = repeat("<r><a>", "0123456789", 500000, "</a>");
	char *whole = repeat(texts, "<i>x</i>", 90000, "</r>");
	struct xml_document *document = read_text(whole);
	assert_int_equal(strlen(xml_child_text(xml_root(document), "a")), 5000000);
	xml_free(document);
	free(texts);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_of_assume_role),
		cmocka_unit_test(answer_of_describe_regions),
		cmocka_unit_test(predefined_entities_and_character_references_are_read),
		cmocka_unit_test(answers_cut_at_any_byte_are_refused),
		cmocka_unit_test(lookup_goes_by_local_name_and_path),
		cmocka_unit_test(text_in_pieces_is_joined),
		cmocka_unit_test(declared_encoding_is_not_believed),
		cmocka_unit_test(hostile_documents_are_refused),
		cmocka_unit_test(messages_never_quote_the_document),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(number_of_elements_is_limited),
		cmocka_unit_test(long_text_before_many_elements_is_read_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
