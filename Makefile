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

# --- libraries and flags -----------------------------------------------------------------------

libs     := libevent_core libevent_extra libcurl openssl libxml-2.0 jansson
pkg      := $(shell pkg-config --exists $(libs) cmocka 2>/dev/null && echo found)
my_cpp   := -I. -D_GNU_SOURCE -DACMSENSOR_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(libs) 2>/dev/null)
my_c     := -std=c11 -pthread -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wswitch-enum -Wimplicit-fallthrough -Wformat=2 -fno-common -fstack-protector-strong -fPIE
my_ld    := -pie -pthread -Wl,--as-needed -Wl,-z,relro,-z,now
my_libs  := $(shell pkg-config --libs $(libs) 2>/dev/null) -llmdb
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
ifeq ($(VARIANT),fuzz)
override CC := clang
my_c     += $(sanitize) -fsanitize=fuzzer-no-link
my_ld    += $(sanitize)
endif

# --- layers ------------------------------------------------------------------------------------

# Each folder is an archive, linked only with those it may call, so that a call upwards does not
# link. tests/lint/includes.py reads the same table for the #include lines.
layers          := sensor discovery orgscope aws store base
allow_base      :=
allow_store     := base
allow_aws       := base
allow_orgscope  := aws store base
allow_discovery := aws store base
allow_sensor    := discovery orgscope aws store base
allow_cli       := store base
upto             = $(foreach l,$(1) $(allow_$(1)),$(B)/$(l).a)

programs := $(B)/acmsensord $(B)/acmsensor
all: deps $(programs) $(B)/awssim
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
$(foreach l,$(layers) cli,$(eval $(call layer,$(l))))

# A test that needs a fake names it; objects come before archives, so the fake wins.
-include tests/fakes.mk

$(programs) $(tests):
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(my_libs) $(if $(filter $(tests),$@),-lcmocka)

$(B)/awssim: $(patsubst %.c,$(B)/%.o,$(wildcard tests/awssim/*.c))
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $^ $(sim_libs)

# Fuzz targets: with VARIANT=fuzz libFuzzer drives them; otherwise a plain main replays the corpus.
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
ifeq ($(VARIANT),fuzz)
fuzz_main := -fsanitize=fuzzer
else
fuzz_main := $(B)/tests/fuzz/replay.o
$(fuzzers): $(B)/tests/fuzz/replay.o
endif
$(fuzzers): %: %.o $(call upto,sensor)
	@echo "  LD      $@"
	$(Q)$(CC) $(my_ld) $(LDFLAGS) -o $@ $< $(fuzz_main) $(filter %.a,$^) $(my_libs)

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(my_cpp) $(CPPFLAGS) $(my_c) $(CFLAGS) -MMD -MP -c -o $@ $<

# Rewritten only when the flags changed, so that new flags rebuild everything.
flags := $(CC) $(my_cpp) $(CPPFLAGS) $(my_c) $(CFLAGS) $(my_ld) $(LDFLAGS)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(flags))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(flags))' > $@

# --- everything else ---------------------------------------------------------------------------

deps:
ifneq ($(pkg),found)
	@echo "acmsensor: installing what is missing (packaging/deps.sh)"
	sh packaging/deps.sh
	@$(MAKE) --no-print-directory all
endif

.PHONY: all deps FORCE
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
