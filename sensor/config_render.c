/* The configuration as others see it: effective values, and an example with every option. */
#include "base/buf.h"
#include "base/json_write.h"
#include "sensor/config.h"
#include "sensor/config_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void render_section(struct json_writer *writer, enum config_section section,
	const char *section_name, const struct config_value *written, const char *host_name)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		if (option->section != section)
			continue;
		const char *value = written[i].text;
		if (value == NULL)
			value = option->set == config_set_name ? host_name : option->default_value;
		json_open_object(writer);
		json_member_text(writer, "section", section_name);
		json_member_text(writer, "key", option->name);
		json_member_text(writer, "value", value);
		json_member_text(writer, "source",
			written[i].source != NULL ? written[i].source : "default");
		json_member_text(writer, "default", option->default_value);
		json_member_text(writer, "unit", option->unit);
		json_member_text(writer, "help", option->help);
		json_close_object(writer);
	}
}

void config_render(const struct config *config, struct json_writer *writer)
{
	json_open_array(writer);
	render_section(writer, CONFIG_SENSOR, "sensor", config->value, config->name);
	for (size_t i = 0; i < config->connector_count; i++) {
		const struct config_connector *connector = &config->connector[i];
		char *section_name = xasprintf("connector %s", connector->name);
		render_section(writer, CONFIG_CONNECTOR, section_name, connector->value, "");
		free(section_name);
	}
	for (size_t i = 0; i < config->channel_count; i++) {
		const struct config_channel *channel = &config->channel[i];
		char *section_name = xasprintf("channel %s", channel->channel.name);
		render_section(writer, CONFIG_CHANNEL, section_name, channel->value, "");
		free(section_name);
	}
	json_close_array(writer);
}

static void example_section(struct buf *to, enum config_section section)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		if (option->section != section)
			continue;
		buf_addf(to, "\n# %s.\n# Expected: ", option->help);
		config_option_expected(option, to);
		buf_addf(to, ".\n;%s =%s%s\n", option->name,
			option->default_value[0] != '\0' ? " " : "", option->default_value);
	}
}

void config_example(struct buf *to)
{
	buf_add_text(to,
		"# acmsensor configuration. Each option is shown with its default; remove the ';' to\n"
		"# change it. Drop-ins: conf.d/NAME.conf beside this file. `acmsensord --check` tells\n"
		"# what is wrong, SIGHUP reads it again.\n\n[sensor]\n");
	example_section(to, CONFIG_SENSOR);
	buf_add_text(to,
		"\n# One section a connector: a set of credentials and what is read with them. Where\n"
		"# two connectors cover the same account and region, the first one here reads it.\n"
		"\n;[connector prod]\n");
	example_section(to, CONFIG_CONNECTOR);
	buf_add_text(to,
		"\n# One section a channel: where alerts are told. Without any they go to the log,\n"
		"# as with this one.\n\n[channel ops]\n");
	example_section(to, CONFIG_CHANNEL);
}
