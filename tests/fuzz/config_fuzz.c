/* The whole way of a configuration file: what is accepted can be copied, compared and shown. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "sensor/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct config *config)
{
	struct json_writer writer;
	struct buf text;
	buf_init(&text, 16 << 20);
	json_writer_init(&writer, &text, false);
	config_render(config, &writer);
	buf_clear(&text);
	for (size_t i = 0; i < config->connector_count; i++) {
		struct config_connector copy = {.name = NULL};
		config_connector_copy(&copy, &config->connector[i]);
		if (!config_connector_equal(&copy, &config->connector[i]))
			abort();
		config_connector_clear(&copy);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char file[64];
	struct err err = ERR_INIT;
	int fd = memfd_create("config", MFD_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0600) != 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	struct config *config = config_load(file, &err);
	if (config != NULL)
		use(config);
	else if (err.kind != ERR_CONFIG || strstr(err.text, file) == NULL)
		abort();
	config_free(config);
	(void)close(fd);
	return 0;
}
