/* acmsensord --once: one cycle of every connector in the foreground, a summary, an exit code. */
#ifndef SENSOR_ONCE_H
#define SENSOR_ONCE_H

struct config;

enum {
	ONCE_COMPLETE = 0,
	ONCE_FAILED = 1,
	ONCE_USAGE = 2,
	ONCE_INCOMPLETE = 4,
};

/* config: moved in. Returns the exit code. */
int once_run(struct config *config);

#endif
