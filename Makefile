# acmsensor: one non-recursive Makefile. `make help` lists the targets.
# CFLAGS, CPPFLAGS and LDFLAGS belong to the caller; what the project itself needs is in my_*.

.DEFAULT_GOAL := all
BUILD   ?= build
VARIANT ?= release
B       := $(BUILD)/$(VARIANT)
CFLAGS  ?= -O2 -g
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
VERSION := 0.1.0

prefix     ?= /usr
bindir     ?= $(prefix)/bin
sbindir    ?= $(prefix)/sbin
sysconfdir ?= /etc
docdir     ?= $(prefix)/share/doc/acmsensor
datadir    ?= $(prefix)/share
mandir     ?= $(prefix)/share/man
bashcompletiondir ?= $(prefix)/share/bash-completion/completions
zshcompletiondir  ?= $(prefix)/share/zsh/vendor-completions
fishcompletiondir ?= $(prefix)/share/fish/vendor_completions.d
systemd_dir = $(or $(shell pkg-config --variable=$(1) systemd 2>/dev/null),$(2))
unitdir     ?= $(call systemd_dir,systemdsystemunitdir,/usr/lib/systemd/system)
sysusersdir ?= $(call systemd_dir,sysusersdir,/usr/lib/sysusers.d)
tmpfilesdir ?= $(call systemd_dir,tmpfilesdir,/usr/lib/tmpfiles.d)

# --- libraries and flags -----------------------------------------------------------------------

libs     := libevent_core libevent_extra libevent_openssl libcurl openssl libxml-2.0 jansson
python   := /usr/bin/python3
has_e2e  := $(python) -c 'import importlib.util as u; exit(None in map(u.find_spec, ["xdist", "boto3", "cryptography", "prometheus_client"]))' && command -v promtool >/dev/null
pkg      := $(shell pkg-config --exists $(libs) cmocka 2>/dev/null && $(has_e2e) && command -v gdb >/dev/null && echo found)
my_cpp   := -I. -D_GNU_SOURCE -DACMSENSOR_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(libs) 2>/dev/null)
my_c     := -std=c11 -pthread -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wswitch-enum -Wimplicit-fallthrough -Wformat=2 -fno-common -fstack-protector-strong -fPIE
my_ld    := -pie -pthread -Wl,--as-needed -Wl,-z,relro,-z,now
my_libs  := $(shell pkg-config --libs $(libs) 2>/dev/null) -llmdb -lm
sim_libs := $(shell pkg-config --libs libevent libevent_openssl openssl jansson 2>/dev/null)
ifeq ($(DEVELOPER),1)
my_c     += -Werror
endif
ifeq ($(VARIANT),release)
my_cpp   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ifeq ($(VARIANT),san)
my_c     += $(sanitize)
my_ld    += $(sanitize)
endif
ifeq ($(VARIANT),tsan)
my_c     += -fsanitize=thread -fno-omit-frame-pointer
my_ld    += -fsanitize=thread
endif
ifeq ($(VARIANT),fuzz)
override CC := clang
my_c     += $(sanitize) -fsanitize=fuzzer-no-link
my_ld    += $(sanitize)
endif

# --- layers ------------------------------------------------------------------------------------

# Each folder is an archive, linked only with those it may call, so that a call upwards does not
# link. tests/lint/includes.py reads the same table for the #include lines.
layers          := sensor discovery orgscope delivery alert aws store base
allow_base      :=
allow_store     := base
allow_aws       := base
allow_orgscope  := aws store base
allow_discovery := aws store base
allow_delivery  := aws store base
allow_alert     := store base
allow_sensor    := discovery orgscope delivery alert aws store base
allow_cli       := store base
allow_packaging := cli sensor discovery orgscope delivery alert aws store base
upto             = $(foreach l,$(1) $(allow_$(1)),$(B)/$(l).a)

programs := $(B)/acmsensord $(B)/acmsensor
all: deps product $(B)/awssim
# What is installed and nothing else: for packages, whose builds fetch nothing.
product: $(programs) documents
$(B)/acmsensord: $(B)/sensor/main.o $(call upto,sensor)
$(B)/acmsensor:  $(B)/cli/main.o $(call upto,cli)

define layer
$(B)/$(1).a: $$(patsubst %.c,$(B)/%.o,$$(filter-out %/main.c,$$(wildcard $(1)/*.c)))
	@echo "  AR      $$@"
	$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
$(1)_tests := $$(patsubst %.c,$(B)/%,$$(wildcard tests/$(1)/*_test.c))
tests += $$($(1)_tests)
$$($(1)_tests): %: %.o $$(call upto,$(1))
endef
$(foreach l,$(layers) cli packaging,$(eval $(call layer,$(l))))

# A test that needs a fake names it; objects come before archives, so the fake wins.
-include tests/fakes.mk

$(programs) $(tests):
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(my_libs) $(if $(filter $(tests),$@),-lcmocka)

# What is read and not run: the example configuration and the man pages. Their lists of options and
# commands come from the tables of the programs (packaging/manual.h).
manuals   := $(B)/acmsensor.1 $(B)/acmsensord.8 $(B)/acmsensor.conf.5
documents := $(B)/acmsensor.conf $(manuals)
documents: $(documents)
$(B)/manual: $(B)/packaging/main.o $(call upto,packaging)
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(my_libs)
$(B)/acmsensor.conf: $(B)/acmsensord
	@echo "  GEN     $@"
	$(Q)$(B)/acmsensord --example >$@.part && mv $@.part $@
$(B)/acmsensor.1: cli/acmsensor.1.in
$(B)/acmsensord.8: sensor/acmsensord.8
$(B)/acmsensor.conf.5: sensor/acmsensor.conf.5.in
$(manuals): $(B)/manual
	@echo "  GEN     $@"
	$(Q)$(B)/manual <$(filter %.in %.8,$^) >$@.part && mv $@.part $@

$(B)/awssim: $(patsubst %.c,$(B)/%.o,$(wildcard tests/awssim/*.c))
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $^ $(sim_libs)

# A store full of everything that the CLI can show, for tests of the CLI without a daemon.
$(B)/fill_store: $(B)/tests/lib/fill_store.o $(B)/tests/lib/fill.o $(B)/tests/lib/temp_store.o $(call upto,store)
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $^ $(my_libs)

# Looks at a store from outside the daemon, for end-to-end tests.
$(B)/check_store: $(B)/tests/lib/check_store.o $(call upto,store)
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $^ $(my_libs)

# What delivery/import_rules.c foresees, to be held against awssim's rules.
$(B)/check_rules: $(B)/tests/lib/check_rules.o $(call upto,delivery)
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $^ $(my_libs)

# Preloaded into the daemon: kill -9 at a certain write of its store; clocks that are put forward.
preloads := $(B)/die_at_write.so $(B)/skip_time.so
$(preloads): $(B)/%.so: tests/lib/%.c $(B)/flags
	@echo "  LD      $@"
	$(Q)$(CC) $(my_cpp) $(CPPFLAGS) $(my_c) $(CFLAGS) -fPIC -shared $(LDFLAGS) -o $@ $<

# Fuzz targets: with VARIANT=fuzz libFuzzer drives them; otherwise a plain main replays the corpus.
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
ifeq ($(VARIANT),fuzz)
fuzz_main := -fsanitize=fuzzer
else
$(fuzzers): $(B)/tests/fuzz/replay.o
endif
$(fuzzers): %: %.o $(B)/cli.a $(call upto,sensor)
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $(filter %.o,$^) $(fuzz_main) $(filter %.a,$^) $(my_libs)

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(my_cpp) $(CPPFLAGS) $(my_c) $(CFLAGS) -MMD -MP -c -o $@ $<

# Rewritten only when the flags changed, so that new flags rebuild everything.
flags := $(CC) $(my_cpp) $(CPPFLAGS) $(my_c) $(CFLAGS) $(my_ld) $(LDFLAGS)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(flags))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(flags))' > $@

# --- tests -------------------------------------------------------------------------------------

JOBS     ?= $(shell nproc)
self     := $(MAKE) --no-print-directory
unit: $(tests) $(fuzzers) $(B)/check_store $(B)/check_rules $(B)/fill_store $(preloads)
	@sh tests/run_unit.sh $(JOBS) $(B) $(tests)
	@sh tests/fuzz/replay.sh $(B) $(fuzzers)

# Everything that must hold before a change lands; about five minutes on two cores.
check: deps
	@echo "== unit tests and fuzz corpora, release"
	@$(self) -j$(JOBS) VARIANT=release all unit
	@echo "== unit tests and fuzz corpora, ASan + UBSan"
	@$(self) -j$(JOBS) VARIANT=san all unit
	@echo "== end to end: real daemon and CLI (ASan + UBSan) against awssim, boto3 and the AWS CLI"
	@$(self) e2e

# The tests wait most of the time, so more of them run side by side than there are cores.
E2E_JOBS ?= $(shell echo $$((2 * $(JOBS))))
pytest   := $(python) -m pytest -q -p no:cacheprovider -n $(E2E_JOBS) --dist loadgroup tests/e2e
e2e:
	@ACMSENSOR_BUILD=$(BUILD)/san AWSSIM_BUILD=$(BUILD)/release $(pytest) $(PYTEST)

# What takes longer: more kill rounds and other torture, the end-to-end tests of the release build, valgrind, fuzzing.
check-long: check clang
	@ACMSENSOR_LONG=1 ACMSENSOR_KILL_ROUNDS=400 $(self) -j$(JOBS) VARIANT=release unit
	@ACMSENSOR_LONG=1 ACMSENSOR_BUILD=$(BUILD)/release AWSSIM_BUILD=$(BUILD)/release $(pytest)
	@sh tests/run_unit.sh $(JOBS) --valgrind $(BUILD)/release $(subst $(B)/,$(BUILD)/release/,$(tests))
	@$(self) tsan
	@$(self) fuzz

# Races between the loop and the threads beside it: the daemon under ThreadSanitizer. Of the kills,
# those of this build.
tsan: deps
	@$(self) -j$(JOBS) VARIANT=release $(BUILD)/release/awssim $(addprefix $(BUILD)/release/,check_store fill_store)
	@$(self) -j$(JOBS) VARIANT=tsan all $(BUILD)/tsan/check_store $(BUILD)/tsan/fill_store $(BUILD)/tsan/die_at_write.so
	@ACMSENSOR_BUILD=$(BUILD)/tsan AWSSIM_BUILD=$(BUILD)/release $(python) -m pytest -q -p no:cacheprovider -n $(E2E_JOBS) --dist loadgroup \
		-k 'not test_torture_kill or sanitizers' $(addprefix tests/e2e/test_,$(addsuffix .py,\
		alerts daemon daemon_api daemon_life daemon_secrets delivery delivery_answers delivery_waits \
		discovery metrics reading torture torture_api torture_disk torture_kill))

# The other compiler: no warning, and the unit tests.
clang: deps
	@$(self) -j$(JOBS) CC=clang BUILD=$(BUILD)/clang DEVELOPER=1 all unit

# Each target for FUZZ_SECONDS from its corpus, JOBS at once; findings stay in build/fuzz/finding.
FUZZ_SECONDS ?= 60
fuzz: deps
	@$(self) -j$(JOBS) VARIANT=fuzz fuzzers
	@sh tests/fuzz/run.sh $(BUILD)/fuzz $(JOBS) $(FUZZ_SECONDS) $(notdir $(fuzzers))
fuzzers: $(fuzzers)

lint: deps
	@$(python) tests/lint/includes.py
	@$(python) tests/lint/banned.py
	@sh tests/lint/format.sh
	@$(self) VARIANT=release documents
	@sh tests/lint/manuals.sh $(patsubst $(B)/%,$(BUILD)/release/%,$(manuals))
	@sh tests/lint/analyze.sh $(JOBS) '$(libs)'

demo: deps
	@$(self) -j$(JOBS) VARIANT=release all
	@sh tests/demo/demo.sh $(BUILD)/release

# Speed beside a boto3 script, as ratios in one run; BENCH='--only cpu --full' as bench.py says.
bench: deps
	@$(self) -j$(JOBS) VARIANT=release all
	@$(python) tests/bench/bench.py $(BUILD)/release $(BENCH)

install: $(programs) $(documents)
	install -d $(addprefix $(DESTDIR),$(sbindir) $(bindir) $(docdir) $(sysconfdir)/acmsensor/conf.d \
		$(addprefix $(mandir)/man,1 5 8) $(bashcompletiondir) $(zshcompletiondir) $(fishcompletiondir)) \
		$(addprefix $(DESTDIR),$(unitdir) $(sysusersdir) $(tmpfilesdir))
	install -m 755 $(B)/acmsensord $(DESTDIR)$(sbindir)/acmsensord
	install -m 755 $(B)/acmsensor $(DESTDIR)$(bindir)/acmsensor
	install -m 644 README.md $(DESTDIR)$(docdir)/README.md
	install -m 644 $(B)/acmsensor.conf $(DESTDIR)$(docdir)/acmsensor.conf.example
	install -m 644 $(B)/acmsensor.1 $(DESTDIR)$(mandir)/man1/acmsensor.1
	install -m 644 $(B)/acmsensor.conf.5 $(DESTDIR)$(mandir)/man5/acmsensor.conf.5
	install -m 644 $(B)/acmsensord.8 $(DESTDIR)$(mandir)/man8/acmsensord.8
	install -m 644 packaging/completion/acmsensor.bash $(DESTDIR)$(bashcompletiondir)/acmsensor
	install -m 644 packaging/completion/_acmsensor $(DESTDIR)$(zshcompletiondir)/_acmsensor
	install -m 644 packaging/completion/acmsensor.fish $(DESTDIR)$(fishcompletiondir)/acmsensor.fish
	install -d $(addprefix $(DESTDIR)$(datadir)/acmsensor/,prometheus grafana)
	install -m 644 packaging/prometheus/acmsensor.rules.yml $(DESTDIR)$(datadir)/acmsensor/prometheus/acmsensor.rules.yml
	install -m 644 packaging/grafana/acmsensor.json $(DESTDIR)$(datadir)/acmsensor/grafana/acmsensor.json
	sed 's,/usr/sbin/acmsensord,$(sbindir)/acmsensord,' packaging/common/acmsensord.service >$(DESTDIR)$(unitdir)/acmsensord.service
	install -m 644 packaging/common/acmsensor.sysusers $(DESTDIR)$(sysusersdir)/acmsensor.conf
	install -m 644 packaging/common/acmsensor.tmpfiles $(DESTDIR)$(tmpfilesdir)/acmsensor.conf
	@# What an administrator has written stays.
	test -e $(DESTDIR)$(sysconfdir)/acmsensor/acmsensor.conf || \
		install -m 644 $(B)/acmsensor.conf $(DESTDIR)$(sysconfdir)/acmsensor/acmsensor.conf

# --- packages ----------------------------------------------------------------------------------

# VERSION=... on the command line makes packages of that version. Everything that is made for a
# package is made from the tarball alone.
tarball := $(BUILD)/dist/acmsensor-$(VERSION).tar.gz
dist:
	@sh packaging/dist.sh $(VERSION) $(tarball)
	@echo "$(tarball)"
deb: dist
	@sh packaging/deb/build.sh $(VERSION) $(tarball) $(BUILD)/deb $(JOBS)
rpm: dist
	@sh packaging/rpm/build.sh $(VERSION) $(tarball) $(BUILD)/rpm

# The packages as an administrator meets them: in a Debian 12 root, an empty RPM root, under
# systemd and in a container. Takes root; about five minutes.
check-packages:
	@sh packaging/deps.sh
	@$(self) -j$(JOBS) VARIANT=release all
	@AWSSIM_BUILD=$(BUILD)/release ACMSENSOR_BUILD=$(BUILD)/release \
		$(python) -m pytest -q -p no:cacheprovider -rs tests/packaging $(PYTEST)

clean:
	rm -rf $(BUILD)

deps:
ifneq ($(pkg),found)
	@echo "acmsensor: installing what is missing (packaging/deps.sh)"
	@sh packaging/deps.sh
endif

help:
	@echo "make            build acmsensord, acmsensor and awssim into $(B)"
	@echo "make demo       a simulated organization, a real daemon, a full cycle, the CLI's views (KEEP=1 keeps it)"
	@echo "make check      every test, also under ASan and UBSan; make check-long: what takes longer"
	@echo "make lint       layers, banned functions, format, man pages, clang-tidy, gcc -fanalyzer, cppcheck"
	@echo "make clang      built by clang without a warning, and the unit tests"
	@echo "make fuzz       each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS), JOBS=$(JOBS) at once"
	@echo "make bench      speed and scale beside a boto3 script"
	@echo "make dist       a source tarball; make deb, make rpm: packages made from it (build/deb, build/rpm)"
	@echo "make check-packages  installs, upgrades, runs and removes the packages; takes root"
	@echo "make install    DESTDIR= prefix= sysconfdir=; make clean"
	@echo "                V=1 shows commands, DEVELOPER=1 makes warnings errors, VARIANT=san|tsan|fuzz builds others"

.PHONY: tsan all product documents dist deb rpm check-packages unit check e2e check-long clang fuzz fuzzers lint bench demo install clean deps help FORCE
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
