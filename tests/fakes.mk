# Which test links which fake in place of a production file (see Makefile, section layers). One line
# a test: $(B)/tests/<folder>/<file>_test: $(B)/tests/lib/fake_<what>.o

# --- test data, not a fake ----------------------------------------------------------------------
$(B)/tests/base/x509_facts_test: $(B)/tests/lib/read_file.o
$(B)/tests/base/x509_pem_test:   $(B)/tests/lib/read_file.o
$(B)/tests/base/x509_key_test: $(B)/tests/lib/read_file.o
$(B)/tests/base/xml_read_test:   $(B)/tests/lib/read_file.o
$(B)/tests/aws/sigv4_vectors_test: $(B)/tests/lib/read_file.o
$(B)/tests/aws/sigv4_test:      $(B)/tests/lib/needle.o
$(B)/tests/aws/endpoint_test:    $(B)/tests/lib/read_file.o
$(B)/tests/base/x509_name_test:  $(B)/tests/lib/make_der.o
$(B)/tests/base/x509_algorithm_test: $(B)/tests/lib/make_der.o
$(B)/tests/base/x509_extensions_test: $(B)/tests/lib/make_der.o
$(B)/tests/base/secret_test:     $(B)/tests/lib/needle.o
$(B)/tests/base/log_test:        $(B)/tests/lib/fake_clock.o
$(B)/tests/base/resolve_test: $(B)/tests/lib/fake_clock.o

# --- store ----------------------------------------------------------------------------------------
$(store_tests): $(B)/tests/lib/temp_store.o $(B)/tests/lib/store_fixture.o
$(B)/tests/store/list_test $(B)/tests/store/list_certs_test: $(B)/tests/store/list_fixture.o
$(B)/tests/store/vault_test $(B)/tests/store/vault_epoch_test: $(B)/tests/store/vault_fixture.o
$(B)/tests/store/render_test:    $(B)/tests/store/render_fixture.o
$(B)/tests/store/render_certificate_test: $(B)/tests/store/render_fixture.o $(B)/tests/lib/read_file.o
$(B)/tests/store/history_test:   $(B)/tests/lib/fake_clock.o
$(B)/tests/store/plans_test:     $(B)/tests/lib/sample_delivery.o
$(B)/tests/store/jobs_test:      $(B)/tests/lib/sample_delivery.o
$(B)/tests/store/record_test:    $(B)/tests/lib/sample_delivery.o
$(B)/tests/store/group_test:     $(B)/tests/lib/fake_lmdb.o $(B)/tests/lib/fake_clock.o
$(B)/tests/aws/classify_test:    $(B)/tests/lib/read_file.o
flow_fakes := $(B)/tests/lib/fake_call.o $(B)/tests/lib/fake_loop.o $(B)/tests/lib/fake_clock.o
# Of one client, opened and closed for a test.
one_flow := $(flow_fakes) $(B)/tests/lib/flow_fixture.o
$(B)/tests/orgscope/org_walk_test: $(one_flow)
$(B)/tests/orgscope/account_regions_test: $(one_flow)
$(B)/tests/orgscope/region_probe_test: $(one_flow)

# --- aws/: the real client over scripted HTTP ----------------------------------------------------
http_fakes := $(B)/tests/lib/fake_http.o $(B)/tests/lib/fake_loop.o $(B)/tests/lib/fake_clock.o
$(B)/tests/aws/call_test:      $(http_fakes) $(B)/tests/lib/call_fixture.o
$(B)/tests/aws/call_flow_test: $(http_fakes) $(B)/tests/lib/call_fixture.o
$(B)/tests/aws/call_torture_test: $(http_fakes) $(B)/tests/lib/call_fixture.o
$(B)/tests/aws/call_once_test: $(http_fakes) $(B)/tests/lib/call_fixture.o
$(B)/tests/aws/client_test:    $(http_fakes) $(B)/tests/lib/call_fixture.o
http_servers := $(B)/tests/lib/http_fixture.o $(B)/tests/lib/test_server.o $(B)/tests/lib/test_ca.o
$(B)/tests/base/http_test $(B)/tests/base/http_reply_test: $(http_servers)
$(B)/tests/base/http_fault_test: $(http_servers)
$(B)/tests/base/http_tls_test $(B)/tests/base/http_proxy_test: $(http_servers)
$(B)/tests/base/http_torture_test: $(http_servers)
$(B)/tests/base/http_turn_test: $(http_servers)
$(B)/tests/base/tls_probe_test: $(http_servers)
$(B)/tests/base/http_once_test: $(http_servers)
$(B)/tests/base/mail_test: $(http_servers)
$(B)/tests/base/http_tls_test: $(B)/tests/lib/needle.o
$(B)/tests/aws/cred_test:      $(http_fakes)
$(B)/tests/aws/cred_role_test: $(http_fakes)
$(B)/tests/discovery/cert_fields_test: $(B)/tests/lib/temp_store.o
$(B)/tests/aws/cred_default_test: $(http_fakes) $(B)/tests/lib/fake_environment.o
$(B)/tests/aws/profile_test:   $(B)/tests/lib/fake_environment.o
$(B)/tests/store/queue_test:     $(B)/tests/lib/fake_clock.o $(B)/tests/lib/fake_loop.o $(B)/tests/lib/fake_worker.o
$(B)/tests/store/fake_store_queue_test: $(B)/tests/lib/fake_clock.o $(B)/tests/lib/fake_loop.o \
	$(B)/tests/lib/fake_store_queue.o
$(B)/tests/discovery/scan_plan_test: $(B)/tests/lib/temp_store.o
answers := $(B)/tests/lib/answers.o $(B)/tests/lib/read_file.o
$(B)/tests/aws/sts_test:       $(answers)
$(B)/tests/aws/organizations_read_test: $(answers) $(one_flow)
$(B)/tests/aws/regions_read_test: $(answers) $(one_flow)
$(B)/tests/aws/acm_list_test:  $(answers) $(one_flow)
$(B)/tests/aws/acm_describe_test: $(answers) $(one_flow)
$(B)/tests/aws/acm_get_test:   $(answers) $(one_flow)
$(B)/tests/aws/acm_write_test: $(answers) $(one_flow)
$(B)/tests/aws/secretsmanager_write_test: $(answers) $(one_flow)
$(B)/tests/store/migrate_test:   $(B)/tests/lib/fake_lmdb.o $(B)/tests/lib/fake_migrations.o
$(B)/tests/store/migrate_test $(B)/tests/store/migrations_test: $(B)/tests/store/old_schema.o
acm_fakes := $(flow_fakes) $(B)/tests/lib/fake_acm.o $(B)/tests/lib/read_file.o
$(B)/tests/discovery/cert_fetch_test: $(acm_fakes) $(B)/tests/lib/flow_fixture.o
$(B)/tests/store/cert_index_test: $(B)/tests/lib/fake_lmdb.o
scan_fakes := $(acm_fakes) $(B)/tests/lib/temp_store.o $(B)/tests/lib/fake_store_queue.o $(B)/tests/discovery/scan_fixture.o
$(B)/tests/discovery/acm_scan_test: $(scan_fakes)
$(B)/tests/discovery/acm_scan_pages_test: $(scan_fakes)
$(B)/tests/discovery/acm_scan_failure_test: $(scan_fakes)
$(B)/tests/store/pem_test:       $(B)/tests/lib/fake_lmdb.o
$(B)/tests/aws/secrets_test:   $(http_fakes) $(B)/tests/lib/fake_environment.o $(B)/tests/lib/needle.o
# Not a fake: the simulated AWS, which this test starts.
$(B)/tests/aws/awssim_test:    $(B)/tests/lib/run_awssim.o $(B)/tests/lib/inventory.o $(B)/awssim
$(B)/tests/aws/awssim_write_test: $(B)/tests/lib/run_awssim.o $(B)/awssim
$(B)/tests/store/disk_test:      $(B)/tests/lib/fake_clock.o $(B)/tests/lib/fake_loop.o $(B)/tests/lib/fake_worker.o

# --- cli/ -----------------------------------------------------------------------------------------
$(B)/tests/cli/csv_test:        $(B)/tests/lib/temp_store.o
$(B)/tests/cli/vault_init_test: $(B)/tests/lib/temp_store.o
cli_folder := $(B)/tests/cli/folder_fixture.o $(B)/tests/lib/temp_store.o
$(B)/tests/cli/plan_order_test: $(B)/tests/lib/needle.o $(cli_folder)
$(B)/tests/cli/files_test:      $(cli_folder)
$(B)/tests/cli/source_daemon_test: $(B)/tests/lib/temp_store.o
$(B)/tests/cli/status_offline_test $(B)/tests/cli/source_test: $(B)/tests/lib/temp_store.o
$(B)/tests/cli/support_bundle_test: $(B)/tests/lib/read_file.o $(cli_folder)
$(B)/tests/cli/backup_test:     $(cli_folder)
cli_prints := $(B)/tests/cli/print_fixture.o
$(B)/tests/cli/plan_show_test:  $(cli_prints)
$(B)/tests/cli/job_show_test:   $(cli_prints)
$(B)/tests/cli/row_test:        $(cli_prints)
$(B)/tests/cli/scan_wait_test:  $(cli_prints) $(B)/tests/lib/fake_clock.o
$(B)/tests/cli/cert_style_test: $(cli_prints)
# A command line, against answers that a test prepares.
cli_runs := $(B)/tests/cli/run_cli.o $(cli_prints) $(B)/tests/lib/fake_clock.o
cli_run_tests := accounts alerts apply backup cancel certs commands complete config coverage csr \
	delete events help job jobs log main metrics output plan plans restore rollback \
	scan show status support_bundle vault
$(cli_run_tests:%=$(B)/tests/cli/%_test): $(cli_runs)

# --- sensor/: cycles on a real store against a small organization ---------------------------------
$(sensor_tests): $(B)/tests/lib/temp_store.o
$(B)/tests/sensor/config_test $(B)/tests/sensor/config_value_test: $(B)/tests/sensor/config_fixture.o
$(B)/tests/sensor/region_plan_test: $(B)/tests/lib/store_fixture.o
$(B)/tests/sensor/census_test: $(B)/tests/lib/fake_clock.o
$(B)/tests/sensor/api_test: $(B)/tests/sensor/api_client.o
$(B)/tests/sensor/api_delivery_test: $(B)/tests/sensor/api_client.o $(B)/tests/lib/fake_clock.o
org_fakes := $(flow_fakes) $(B)/tests/lib/fake_org.o $(B)/tests/lib/fake_acm.o \
	$(B)/tests/lib/read_file.o $(B)/tests/lib/fake_store_queue.o $(B)/tests/sensor/fixture.o \
	$(B)/tests/sensor/cycle_fixture.o
$(B)/tests/sensor/cycle_test:  $(org_fakes)
$(B)/tests/sensor/account_access_test: $(org_fakes)
$(B)/tests/sensor/account_changes_test: $(org_fakes)
$(B)/tests/sensor/connector_test: $(org_fakes)
$(B)/tests/sensor/heartbeat_test: $(B)/tests/lib/fake_loop.o $(B)/tests/lib/fake_clock.o
torture := $(org_fakes) $(B)/tests/sensor/torture_world.o $(B)/tests/sensor/torture_run.o \
	$(B)/tests/sensor/store_text.o $(B)/tests/lib/make_cert.o
$(B)/tests/sensor/cycle_torture_test: $(torture)
$(B)/tests/sensor/connector_torture_test: $(torture)
$(B)/tests/sensor/month_test:  $(org_fakes) $(B)/tests/sensor/month_world.o \
	$(B)/tests/sensor/month_model.o $(B)/tests/sensor/month_model_certs.o $(B)/tests/lib/make_cert.o

# The desk, with its jobs for real, and with jobs that the test ends.
desk_fakes := $(flow_fakes) $(B)/tests/lib/fake_org.o $(B)/tests/lib/fake_acm.o \
	$(B)/tests/lib/read_file.o $(B)/tests/lib/fake_store_queue.o $(B)/tests/lib/fake_worker.o \
	$(B)/tests/lib/write_acm.o $(B)/tests/lib/make_pki.o $(B)/tests/sensor/fixture.o \
	$(B)/tests/sensor/desk_fixture.o $(B)/tests/lib/sample_delivery.o
$(B)/tests/sensor/desk_test:   $(desk_fakes) $(B)/tests/lib/fake_job.o
desk_op_fakes := $(desk_fakes) $(B)/tests/lib/fake_tls_probe.o
$(B)/tests/sensor/desk_op_test: $(desk_op_fakes)
$(B)/tests/sensor/desk_plan_test: $(desk_op_fakes)
$(B)/tests/sensor/desk_csr_test: $(desk_op_fakes)
$(B)/tests/sensor/desk_request_test: $(desk_op_fakes)
$(B)/tests/sensor/desk_upkeep_test: $(desk_op_fakes)
$(B)/tests/sensor/desk_place_test: $(desk_op_fakes)

# --- fuzz targets on a store ----------------------------------------------------------------------
fuzz_store := $(B)/tests/lib/filled_store.o $(B)/tests/lib/fill.o $(B)/tests/lib/temp_store.o
$(B)/tests/fuzz/list_fuzz: $(fuzz_store) $(B)/tests/fuzz/split_params.o
$(B)/tests/fuzz/cert_query_fuzz: $(fuzz_store) $(B)/tests/fuzz/split_params.o
$(B)/tests/fuzz/store_entry_fuzz: $(fuzz_store)
$(B)/tests/fuzz/cert_build_fuzz: $(fuzz_store)
$(B)/tests/fuzz/api_request_fuzz: $(fuzz_store)

# --- delivery/: jobs on a real store and vault, against an ACM that can be written to -------------
job_fakes := $(flow_fakes) $(B)/tests/lib/temp_store.o $(B)/tests/lib/fake_store_queue.o \
	$(B)/tests/lib/write_acm.o $(B)/tests/lib/fake_tls_probe.o $(B)/tests/lib/make_cert.o \
	$(B)/tests/delivery/job_fixture.o $(B)/tests/lib/read_file.o $(B)/tests/lib/sample_delivery.o
$(foreach name,job job_look job_rollback job_key job_delete,$(B)/tests/delivery/$(name)_test): \
	$(job_fakes)
$(B)/tests/delivery/job_torture_test: $(job_fakes)
$(B)/tests/delivery/job_step_test: $(B)/tests/lib/read_file.o
$(foreach name,planner planner_id planner_key,$(B)/tests/delivery/$(name)_test): $(job_fakes) \
	$(B)/tests/delivery/planner_fixture.o $(B)/tests/lib/make_pki.o
$(B)/tests/delivery/secret_sweep_test: $(job_fakes)
$(B)/tests/delivery/remote_find_test: $(job_fakes)
$(B)/tests/delivery/remote_test: $(job_fakes)
$(B)/tests/delivery/escrow_test: $(job_fakes)
$(foreach name,job_order job_order_rollback,$(B)/tests/delivery/$(name)_test): $(job_fakes) \
	$(B)/tests/delivery/job_order_fixture.o
$(B)/tests/delivery/job_probe_test: $(job_fakes)
$(B)/tests/delivery/certificate_id_test: $(job_fakes)
$(foreach name,bundle bundle_form bundle_key,$(B)/tests/delivery/$(name)_test): \
	$(B)/tests/lib/make_pki.o $(B)/tests/delivery/bundle_fixture.o
$(B)/tests/delivery/arn_choice_test: $(B)/tests/lib/temp_store.o $(B)/tests/lib/store_fixture.o \
	$(B)/tests/lib/sample_delivery.o
$(B)/tests/delivery/forget_test: $(B)/tests/lib/temp_store.o $(B)/tests/lib/store_fixture.o

# --- delivery/: decisions on facts made by hand ---------------------------------------------------
$(B)/tests/delivery/import_rules_test: $(B)/tests/lib/make_facts.o
$(foreach name,job_next job_next_error job_next_delete,$(B)/tests/delivery/$(name)_test): \
	$(B)/tests/delivery/job_next_fixture.o
$(B)/tests/delivery/plan_test:     $(B)/tests/lib/make_facts.o $(B)/tests/delivery/plan_fixture.o
$(B)/tests/delivery/plan_warnings_test: $(B)/tests/lib/make_facts.o $(B)/tests/delivery/plan_fixture.o
$(B)/tests/delivery/way_back_test:    $(B)/tests/lib/make_facts.o
$(B)/tests/delivery/plan_render_test: $(B)/tests/lib/make_facts.o $(B)/tests/lib/read_file.o
$(B)/tests/delivery/cert_view_test:   $(B)/tests/lib/make_facts.o
$(B)/tests/sensor/log_override_test: $(B)/tests/lib/fake_loop.o $(B)/tests/lib/fake_clock.o
$(B)/tests/sensor/retention_test: $(B)/tests/lib/fake_loop.o $(B)/tests/lib/fake_clock.o \
	$(B)/tests/lib/fake_store_queue.o $(B)/tests/lib/temp_store.o

# --- alert/: on a real store, with ways that a test answers for -----------------------------------
alert_fakes := $(http_fakes) $(B)/tests/lib/fake_ways.o $(B)/tests/lib/temp_store.o
alert_channel := $(B)/tests/alert/make_channel.o
alert_store := $(alert_fakes) $(alert_channel) $(B)/tests/lib/fake_store_queue.o $(B)/tests/lib/store_fixture.o
$(B)/tests/alert/channel_send_test: $(alert_fakes) $(alert_channel)
$(B)/tests/alert/sender_test:  $(alert_store)
$(B)/tests/alert/pass_test:    $(alert_store)
alert_whole := $(alert_store) $(B)/tests/alert/alerts_fixture.o
$(B)/tests/alert/alerts_test:  $(alert_whole)
$(B)/tests/alert/alerts_op_test: $(alert_whole)
$(B)/tests/alert/alerts_pass_test: $(alert_whole)
$(B)/tests/alert/alerts_sender_test: $(alert_whole)
