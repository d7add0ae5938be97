# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Arms the faults of spmm-sim --fault SCRIPT from inside the machine, by name, through the
# device's configuration space: no driver takes part. To be sourced; needs dd, hexdump,
# printf and root. The layout is uapi/spmm/error_injection.h.
#
#	fault_arm NAME		arms it anew; its count is 0
#	fault_disarm		disarms all
#	fault_fired NAME	prints how often it has fired since it was armed
#	fault_list		prints all names
#
# FAULT_CONFIG may name the configuration space; else it is the first device's.

# The capability's offset, and its fields.
fault_at=$((0x200))
fault_count_at=$((fault_at + 0x08))
fault_arm_at=$((fault_at + 0x0c))
fault_select_at=$((fault_at + 0x10))
fault_fired_at=$((fault_at + 0x14))
fault_name_at=$((fault_at + 0x20))

# Finds the configuration space of the device 1de5:5b01.
fault_config()
{
	if [ -n "${FAULT_CONFIG:-}" ]; then
		echo "$FAULT_CONFIG"
		return 0
	fi
	for fault_device in /sys/bus/pci/devices/*; do
		if [ "$(cat "$fault_device/vendor" 2>/dev/null)" = 0x1de5 ] &&
		   [ "$(cat "$fault_device/device" 2>/dev/null)" = 0x5b01 ]; then
			echo "$fault_device/config"
			return 0
		fi
	done
	echo "fault: no device 1de5:5b01" >&2
	return 1
}

# fault_read OFFSET: the 32 bits there, decimal.
fault_read()
{
	fault_file=$(fault_config) || return 1
	dd if="$fault_file" bs=4 skip=$(($1 / 4)) count=1 2>/dev/null |
		hexdump -v -e '1/4 "%u"'
}

# fault_write OFFSET VALUE: its lowest byte, which is all that counts.
fault_write()
{
	fault_file=$(fault_config) || return 1
	# The format is the byte itself.
	# shellcheck disable=SC2059
	printf "\\$(printf '%03o' "$2")\\000\\000\\000" |
		dd of="$fault_file" bs=4 seek=$(($1 / 4)) count=1 conv=notrunc 2>/dev/null
}

fault_name()
{
	fault_write "$fault_select_at" "$1" || return 1
	fault_file=$(fault_config) || return 1
	dd if="$fault_file" bs=32 skip=$((fault_name_at / 32)) count=1 2>/dev/null |
		tr -d '\000'
}

# How many there are; an error without the capability.
fault_total()
{
	if [ "$(fault_read $((fault_at + 4)))" != $((0x04015349)) ]; then
		echo "fault: the device has no fault script (or is gone)" >&2
		return 1
	fi
	fault_read "$fault_count_at"
}

fault_list()
{
	fault_last=$(fault_total) || return 1
	fault_number=1
	while [ "$fault_number" -le "$fault_last" ]; do
		fault_name "$fault_number"
		echo
		fault_number=$((fault_number + 1))
	done
}

# fault_find NAME: selects it and prints its number.
fault_find()
{
	fault_last=$(fault_total) || return 1
	fault_number=1
	while [ "$fault_number" -le "$fault_last" ]; do
		if [ "$(fault_name "$fault_number")" = "$1" ]; then
			echo "$fault_number"
			return 0
		fi
		fault_number=$((fault_number + 1))
	done
	echo "fault: the script has no '$1'" >&2
	return 1
}

fault_arm()
{
	fault_found=$(fault_find "$1") || return 1
	fault_write "$fault_arm_at" "$fault_found"
}

fault_disarm()
{
	fault_write "$fault_arm_at" 0
}

fault_fired()
{
	fault_find "$1" >/dev/null || return 1
	fault_read "$fault_fired_at"
}
