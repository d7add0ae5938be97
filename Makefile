# SPDX-License-Identifier: MIT
# The front door; Meson does the work, in build/.
BUILD = build
PREFIX = /usr/local
DESTDIR =
KERNEL = 6.12
SUITE =
PART =

all: configure
	@ninja -C $(BUILD)

configure:
	@tools/dependencies.sh --check build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD)

# What these lack, they install (Debian; as root or through sudo).
dependencies:
	@tools/dependencies.sh build

check-dependencies:
	@tools/dependencies.sh build check recovery vm

demo: dependencies
	@$(MAKE) --no-print-directory all
	@tools/demo/demo.sh

check: check-dependencies
	@tests/check.sh

lint: check-dependencies
	@tests/lint.sh

# A cluster in SystemVerilog, in lock-step with its C model; needs verilator.
rtl: all
	@tests/rtl/run.sh $(BUILD)

# The simulated device in a virtual machine, with a shell; Documentation/vm.rst.
vm: vm-dependencies
	@tests/vm/shell.sh $(KERNEL)

# The suites of tests/vm/suites on KERNEL: all, or those in SUITE.
check-vm: vm-dependencies
	@tests/vm/run.sh $(KERNEL) $(SUITE)

# The kernel's own checks of the module.
lint-driver: vm-dependencies
	@tests/vm/lint.sh

vm-dependencies:
	@tools/dependencies.sh build vm

bench: all
	@meson test --benchmark --verbose -C $(BUILD)

# What compression gives back of real networks: all parts, or PART.
bench-recovery: all
	@tests/bench/recovery.sh $(BUILD) $(PART)

# Ways to compress, held against each other: all parts, or PART.
bench-compress: all
	@tests/bench/compress.sh $(BUILD) $(PART)

# Record the library's binary interface, after an addition to it.
abi: all
	@tests/abi/record.sh $(BUILD) tests/abi/libaccel.abi

install: all
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD)

# The module's sources for DKMS: afterwards `dkms install spmm/VERSION`.
version = $(shell sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
dkms_folder = $(DESTDIR)/usr/src/spmm-$(version)

install-dkms:
	install -d $(dkms_folder)
	cp -r driver uapi $(dkms_folder)/
	sed 's/@VERSION@/$(version)/' driver/dkms/dkms.conf.in >$(dkms_folder)/dkms.conf

clean:
	rm -rf $(BUILD) build-sanitize build-races build-fuzz

.PHONY: all configure dependencies check-dependencies demo check lint rtl vm \
	check-vm lint-driver vm-dependencies bench bench-recovery bench-compress install install-dkms abi clean
