/* The AWS shared files: the same text as config and credentials, for three names. What is refused is
 * told with its file. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aws/profile.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static const char *environment(const char *name)
{
	bool is_file = strcmp(name, "AWS_CONFIG_FILE") == 0 ||
		       strcmp(name, "AWS_SHARED_CREDENTIALS_FILE") == 0;
	return is_file ? path : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const name[] = {"default", "prod", "my name"};
	int fd = memfd_create("profile", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		struct aws_profile profile;
		struct err err = ERR_INIT;
		if (aws_profile_load(environment, name[i], &profile, &err) != 0) {
			assert(err.kind == ERR_CONFIG && strstr(err.text, path) != NULL);
			continue;
		}
		assert(err.kind == ERR_NONE && strcmp(profile.name, name[i]) == 0);
		assert(!profile.has_keys || profile.file[0] != '\0');
		aws_profile_clear(&profile);
	}
	close(fd);
	return 0;
}
