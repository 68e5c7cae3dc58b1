#!/bin/sh
# A copy of this machine, in which packages are installed and engines start containers. Nothing of it is left.
#
#     unshare --mount --pid --net --fork --kill-child --mount-proc --propagation private machine.sh FOLDER SCRIPT
#
# The caller removes FOLDER, which the script sees as /tmp/release. `systemctl restart docker` starts a daemon, and the
# image `debian` is the tests' root. All else that the script calls are the machine's programs and what it installs.
# Must not know which document shows what.
set -eu

folder=$1 script=$2
top=$folder/machine
mkdir "$top"
mount -t tmpfs -o mode=755 copy "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" copy "$top/root"
for place in proc sys dev; do
  mount --rbind "/$place" "$top/root/$place"
done
for place in run tmp var/lib/docker var/lib/containers; do
  mkdir -p "$top/root/$place"
  mount -t tmpfs -o mode=1777 copy "$top/root/$place"
done
# Only one version of control groups, because crun refuses two.
[ ! -d /sys/fs/cgroup/unified ] || umount "$top/root/sys/fs/cgroup/unified"
mkdir "$top/root/tmp/release"
mount --bind "$folder" "$top/root/tmp/release"

cat >"$top/root/usr/local/bin/systemctl" <<'END'
#!/bin/sh
[ "$*" = 'restart docker' ] || exit 1
dockerd --iptables=false --ip6tables=false --bridge=none --exec-opt native.cgroupdriver=cgroupfs >/run/dockerd.log 2>&1 &
for turn in $(seq 600); do
  docker info >/run/docker.info 2>&1 && break
  sleep 0.1
done
docker import - debian </tmp/release/debian.tar >/run/imported || { cat /run/dockerd.log >&2 && exit 1; }
END
chmod 755 "$top/root/usr/local/bin/systemctl"
cat >"$top/root/etc/containers/containers.conf" <<'END'
[containers]
netns = "none"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
END
printf '[storage]\ndriver = "vfs"\ngraphroot = "/var/lib/containers/storage"\nrunroot = "/run/containers/storage"\n' \
  >"$top/root/etc/containers/storage.conf"
exec chroot "$top/root" env -i HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -euc "cd /tmp/release
$script"
