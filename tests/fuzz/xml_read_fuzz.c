/* Any bytes as XML, then the lookups that the services use. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/xml_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct xml_element *element)
{
	const char *name = xml_name(element), *text = xml_text(element);
	assert(name[0] != '\0' && text_is_utf8(name, strlen(name)));
	assert(text_is_utf8(text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const path[] = {"a", "a/a", "item", "regionInfo/item", "Error/Code",
		"AssumeRoleResult/Credentials/SecretAccessKey", ""};
	struct err err = ERR_INIT;
	struct xml_document *document = xml_read((const char *)data, size, &err);
	assert((document != NULL) == (err.kind == ERR_NONE));
	if (document == NULL)
		return 0;
	const struct xml_element *root = xml_root(document);
	look_at(root);
	assert(xml_next(root) == NULL);
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		for (const struct xml_element *element = xml_child(root, path[i]); element != NULL;
			element = xml_next(element))
			look_at(element);
		const char *text = xml_child_text(root, path[i]);
		assert((text != NULL) == (xml_child(root, path[i]) != NULL));
	}
	xml_free(document);
	return 0;
}
