#!/usr/bin/env bash
# The smallest Ceph: one monitor, one OSD in memory, one radosgw on 127.0.0.1:$PORT. A "day" of its lifecycle takes 5 s.
#
#   ACCESS=… SECRET=… PORT=… MON_PORT=… bash ceph.sh FOLDER        writes FOLDER/{client.rgw,osd.0,mon.a}.pid
set -euo pipefail
folder=$1
mkdir -p "$folder"/{mon,osd,rgw}
fsid=$(cat /proc/sys/kernel/random/uuid)
# "crc": radosgw wants "secure" otherwise, which hangs without keys. The grace: a machine that stands still for a moment
# would else leave all data unreadable. "paxos": ten seconds less to wait at the start.
cat >"$folder/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = v2:127.0.0.1:$MON_PORT
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
osd heartbeat grace = 86400
mon data avail warn = 1
mon data avail crit = 0
paxos propose interval = 0.02
paxos min wait = 0.01
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
run dir = $folder
admin socket = $folder/\$name.asok
pid file = $folder/\$name.pid
log file = $folder/\$name.log
crash dir = $folder
mon data = $folder/mon
osd data = $folder/osd
keyring = $folder/keyring
[client.rgw]
rgw data = $folder/rgw
rgw frontends = beast endpoint=127.0.0.1:$PORT
rgw lc debug interval = 5
rgw enable usage log = false
rgw dns name =
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
CONF
conf=(-c "$folder/ceph.conf")
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$MON_PORT]" "$folder/monmap" >/dev/null
ceph-mon "${conf[@]}" -i a --mkfs --monmap "$folder/monmap" --keyring /dev/null
ceph-mon "${conf[@]}" -i a --public-addr 127.0.0.1:"$MON_PORT"
ceph "${conf[@]}" --connect-timeout 30 osd create >/dev/null
ceph-osd "${conf[@]}" -i 0 --mkfs 2>/dev/null
ceph-osd "${conf[@]}" -i 0
admin=(radosgw-admin "${conf[@]}" -n client.rgw)
"${admin[@]}" user create --uid dev --display-name dev --access-key "$ACCESS" --secret-key "$SECRET" >/dev/null
"${admin[@]}" caps add --uid dev --caps 'roles=*' >/dev/null
"${admin[@]}" zonegroup placement add --rgw-zonegroup default --placement-id default-placement \
    --storage-class STANDARD_IA >/dev/null 2>&1
"${admin[@]}" zone placement add --rgw-zone default --placement-id default-placement \
    --storage-class STANDARD_IA --data-pool default.rgw.buckets.ia >/dev/null 2>&1
radosgw "${conf[@]}" -n client.rgw --no-mon-config
for _ in $(seq 300); do
    curl -s -o /dev/null "http://127.0.0.1:$PORT/" && exit
    sleep 0.1
done
exit 1
