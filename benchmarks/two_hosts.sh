#!/usr/bin/env bash
# Two hosts on one machine, with a network of a given rate between them, for MPICH of the wheels (Linux, as root):
#     benchmarks/two_hosts.sh 1gbit python -m benchmarks.ranks --case "2 LSTM"
# Each is a network namespace; the rate is that of a token bucket, and memory is not shared.
set -euo pipefail
rate=$1
shift
launcher=$(mktemp)
trap 'rm -f "$launcher"; ip netns del lmtool1; ip netns del lmtool2' EXIT

ip netns add lmtool1
ip netns add lmtool2
ip link add lm1 netns lmtool1 type veth peer name lm2 netns lmtool2
for k in 1 2; do
    ip -n lmtool$k addr add 10.9.0.$k/24 dev lm$k
    ip -n lmtool$k link set lm$k up
    ip -n lmtool$k link set lo up
    ip netns exec lmtool$k tc qdisc add dev lm$k root tbf rate "$rate" burst 256kb latency 50ms
done

sleep 2 # until the links are seen to be up

# stands for ssh: options, host, command
cat > "$launcher" <<'END'
#!/usr/bin/env bash
while [[ $1 == -* ]]; do shift; done
host=$1
shift
exec ip netns exec "lmtool${host##*.}" sh -c "$*"
END
chmod +x "$launcher"
ip netns exec lmtool1 mpiexec -launcher ssh -launcher-exec "$launcher" -genv UCX_TLS tcp,self \
    -genv MPIR_CVAR_NOLOCAL 1 -hosts 10.9.0.1,10.9.0.2 -n 2 "$@"
