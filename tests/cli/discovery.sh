#!/bin/bash
# SPDX-License-Identifier: MIT
# Cards are found, and what is said of them is what the kernel says.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=tests/cli/host_tree.sh
. "$(dirname "$0")/host_tree.sh"

list()
{
	expect 0 "$1" "$accel" list
}

# lists_json PATTERN: in the object printed on one line.
lists_json()
{
	expect 0 "$1" sh -c "'$accel' list --json | tr -s ' \n' ' '"
}

# ---- one card ----

tree_make
list "^$address +spmm +3  16GT/s x8 of 16GT/s x8 +0  dev:/dev/accel/accel0$"
lists_json "\"address\": \"$address\", \"uri\": \"dev:/dev/accel/accel0\", \"driver\": \"spmm\""
lists_json '"iommu_group": 3, "numa_node": 0, "link": \{ "gigatransfers": 16.0, "width": 8 \}'
list '^sim: .*simulated spmm'
lists_json '"built_in": \[ \{ "uri": "sim:"'
check "the port is not listed" sh -c "! '$accel' list | grep -q $port"

driver_bind $address vfio-pci
list "^$address +vfio-pci +3 .*vfio:$address$"

driver_bind $address
rm "$card/iommu_group"
echo -1 >"$card/numa_node"
list "^$address +- +-  16GT/s x8 .* +-  -$"
lists_json '"uri": null, "driver": null, "iommu_group": null, "numa_node": null'

echo "8.0 GT/s PCIe" >"$card/current_link_speed"
echo 4 >"$card/current_link_width"
list ' 8GT/s x4 of 16GT/s x8 '
echo Unknown >"$card/current_link_speed"
list ' - of 16GT/s x8 '
lists_json '"link": null'

# ---- none, several, and a kernel that cannot be asked ----

pci_device 0001:81:00.0 pci0001:81/0001:81:00.0 1de5 5b01 120000
check "by address" sh -c "[ \"\$('$accel' list | grep -o '^000.:[^ ]*' | paste -s -d' ')\" = \
	'$address 0001:81:00.0' ]"
rm -r "$bus/devices"
list '^nil:'
check "no table without a card" sh -c "! '$accel' list | grep -q driver"
mkdir "$bus/devices" && ln -s nowhere "$bus/devices/$address"
expect 1 'libpci: .*vendor' "$accel" list

# ---- info: of a card that cannot be opened here, the device's own words come first ----

tree_make
expect 1 'accel info' "$accel" info "dev:/dev/accel/accel0"
expect 0 '"pci": null' "$accel" info nil: --json
finish
