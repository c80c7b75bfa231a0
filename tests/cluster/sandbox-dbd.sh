# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What --dbd adds to a sandbox: a MariaDB of its own, with its data below the sandbox and small buffers, and slurmdbd
# on top of it. Sourced by `sandbox`, not run.
#
# Uses the globals LINK, DIR, DBD_PORT and DB_PORT.

need_dbd_programs() {
    local name
    for name in mariadbd mariadb-install-db mariadb-admin slurmdbd sacctmgr; do
        command -v "$name" >/dev/null ||
            die "--dbd needs $name, which is not installed: apt-get install --no-install-recommends mariadb-server slurmdbd"
    done
}

# slurmdbd reaches the database by TCP only: its client library takes no path of a socket from a configuration.
config_slurmdbd() {
    cat <<CONF
# Written by tests/cluster/sandbox.
DbdHost=$(hostname -s)
DbdAddr=127.0.0.1
DbdPort=$DBD_PORT
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$LINK/run/munge.socket
PluginDir=$(slurm_plugin_dir)
PidFile=$LINK/run/slurmdbd.pid
LogFile=$LINK/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$DB_PORT
StorageUser=slurm
StoragePass=$1
StorageLoc=slurm_acct_db
CONF
}

# config_slurm_accounting: what slurm.conf says of where jobs are accounted; with munge the "pass" is its socket.
config_slurm_accounting() {
    if [[ $DBD = 1 ]]; then
        printf '%s\n' AccountingStorageType=accounting_storage/slurmdbd AccountingStorageHost=127.0.0.1 \
            "AccountingStoragePort=$DBD_PORT" "AccountingStoragePass=$LINK/run/munge.socket"
    else
        echo AccountingStorageType=accounting_storage/none
    fi
}

# The data directory and the two configurations; the password is made here and known to them alone.
write_dbd_files() {
    local password
    password=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')
    (
        umask 077
        config_slurmdbd "$password" >"$DIR/etc/slurmdbd.conf"
        printf '%s\n' "CREATE USER IF NOT EXISTS slurm@'127.0.0.1' IDENTIFIED BY '$password';" \
            "GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1';" >"$DIR/etc/mariadb.sql"
    ) || return 1
    mkdir -p "$DIR/state/mariadb" || return 1
    mariadb-install-db --no-defaults --user=root --datadir="$LINK/state/mariadb" --skip-test-db \
        --auth-root-authentication-method=socket >"$DIR/log/mariadb-install.log" 2>&1 && return
    tail -n 5 "$DIR/log/mariadb-install.log" >&2
    return 1
}

launch_mariadb() {
    launch mariadb mariadbd --no-defaults --user=root --datadir="$LINK/state/mariadb" \
        --socket="$LINK/run/mariadb.socket" --pid-file="$LINK/run/mariadb.pid" \
        --bind-address=127.0.0.1 --port="$DB_PORT" --skip-name-resolve --init-file="$LINK/etc/mariadb.sql" \
        --performance-schema=OFF --skip-log-bin --max-connections=40 --key-buffer-size=1M \
        --innodb-buffer-pool-size=24M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0
}

mariadb_answers() {
    mariadb-admin --no-defaults --user=root --socket="$LINK/run/mariadb.socket" ping
}

slurmdbd_answers() {
    [[ -n $(sacctmgr -n -P show qos 2>/dev/null) ]]
}

# slurmctld takes its associations from a cluster that is known: added before slurmctld is started.
add_cluster() {
    [[ -n $(sacctmgr -n -P show cluster sandbox format=cluster) ]] || sacctmgr -i -Q add cluster sandbox >/dev/null
}
