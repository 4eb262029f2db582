/* acmsensord --check-store: whether the store is sound, while no daemon runs. */
#ifndef SENSOR_CHECK_STORE_H
#define SENSOR_CHECK_STORE_H

/*
 * Opens the store as the daemon does (which migrates it), looks at every record, index entry and
 * event, and makes indexes anew that do not fit. Prints each problem and a last line with the
 * outcome. Returns the exit code: 0 sound, 4 problems that are all repaired, 1 some are left or
 * the store cannot be opened.
 */
int check_store_run(const char *data_dir);

#endif
