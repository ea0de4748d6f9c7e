"""The event loop of the memory controller, compiled: one design after another over one prepared trace."""

from __future__ import annotations

__all__ = ["COMMANDS_ISSUED", "COUNTERS", "COUNTER_NAMES", "simulate_slice"]

import numpy as np

from archgym_simulators._jit import kernel
from archgym_simulators.dram.timing import ACT, PRE, PREA, RD, RDA, REFA

INF = 2**62
BANK_BITS = 6

COUNTER_NAMES = (
    "end_cycle", "activates", "precharges", "precharges_all", "reads", "reads_auto", "writes", "writes_auto",
    "refreshes", "precharged_banks", "commands", "active_cycles", "precharged_cycles", "refreshes_owed",
    "most_refreshes_owed", "latency_sum", "latency_p50", "latency_p99", "latency_max", "postponed_at_bound",
    "pulledin_at_bound",
)  # fmt: skip
COUNTERS = len(COUNTER_NAMES)
COMMANDS_ISSUED = COUNTER_NAMES.index("commands")


@kernel
def percentile_bins(latency, bins, rank_a, rank_b):
    top = latency.max()
    shift = 0
    while (top >> shift) >= bins.size:
        shift += 1
    bins[: (top >> shift) + 1] = 0
    for i in range(latency.size):
        bins[latency[i] >> shift] += 1
    return select_rank(latency, bins, shift, rank_a), select_rank(latency, bins, shift, rank_b), top


@kernel
def select_rank(latency, bins, shift, rank):
    below = 0
    i = 0
    while below + bins[i] <= rank:
        below += bins[i]
        i += 1
    if shift == 0:
        return np.int64(i)
    inside = latency[(latency >> shift) == i]
    inside.sort()
    return inside[rank - below]


@kernel
def earliest_of_two_buses(key, slot, bnd, length, banks, low, shift):
    """Row and column commands have buses of their own: the best of each, then the earlier, then the older."""
    row = np.int64(INF)
    column = np.int64(INF)
    for i in range(banks):
        v = key[i]
        v = max(v, bnd[slot[i]] | (v & low))
        if slot[i] & 7 <= PRE:
            row = min(row, v)
        else:
            column = min(column, v)
    if row == INF or column == INF:
        return min(row, column)
    row_start = row - length[slot[row & 63] & 7]
    column_start = column - length[slot[column & 63] & 7]
    return row if row_start < column_start else column


@kernel
def run_design(
    d, chip, same, rel, length, relation, group_of, rank_of, bank_of, nxb, nxr, isw, line, twin, first,
    key, slot, own, bnd, head, hit, cnt, opn, actt, served, val, deliv, finish, sent, ring, ref, rst, log, out,
):  # fmt: skip
    page = d[0]
    sched = d[1]
    buf = d[2]
    N = d[3]
    resp = d[4]
    allbank = d[5] == 1
    P = d[6]
    Q = d[7]
    arb = d[8]
    M = d[9]
    nbk = chip[0]
    ngr = chip[1]
    nrk = chip[2]
    shift = chip[3]
    lat_r = chip[4]
    lat_w = chip[5]
    faw = chip[6]
    refi = chip[7]
    close_r = chip[8]
    close_w = chip[9]
    ras = chip[10]
    tick_ps = chip[11]
    clk_ps = chip[12]
    relative = chip[13]
    split = chip[15]
    bpr = nbk // nrk
    gpr = ngr // nrk
    R = line.size
    low = (1 << shift) - 1
    far = (INF >> shift) - 64
    same_clock = tick_ps == clk_ps
    inorder = (resp == 1) or (arb == 2)
    for i in range(nbk):
        key[i] = INF
        slot[i] = 0
        head[i] = first[i]
        hit[i] = R
        cnt[i] = 0
        opn[i] = 0
    own[:] = 0
    bnd[:] = 0
    served[:R] = 0
    served[R] = 0
    served[R + 1] = 1
    if inorder:
        val[:] = -1
    for r in range(nrk):
        for j in range(4):
            ring[r * 4 + j] = -(1 << 40)
        rst[r, 0] = 0  # open banks
        rst[r, 1] = 0  # latest close
        rst[r, 2] = 0  # start of the active interval
        rst[r, 3] = 0  # active cycles
        rst[r, 4] = 0  # ring position
        rst[r, 5] = 0  # last command cycle
        rst[r, 6] = -1  # last command
        rst[r, 7] = 0  # REFAs
        ref[r, 0] = refi - r * (refi // nrk) if allbank else far  # next trigger
        ref[r, 1] = 0  # postponed
        ref[r, 2] = 0  # pulled-in mode
        ref[r, 3] = -1  # wanted command
        ref[r, 4] = 0  # forced
        ref[r, 5] = 0  # pending requests of the rank
        ref[r, 6] = 0  # most refreshes postponed where that was compared with P
        ref[r, 7] = 0  # fewest (pulled in: negative) where that was compared with -Q
    entered = 0
    total = 0
    nw = 0
    lastb = 0
    nd = 0
    last_rel = -1
    last_fin = -1
    nserved = 0
    lastdir = 0
    tick = line[0]
    sent[0] = tick
    cyc = tick if same_clock else -((-tick * tick_ps) // clk_ps)
    acc = cyc
    E = np.int64(-1)
    pend = 2 * cyc + 1
    te = pend
    bp = 0
    n0 = 0
    n1 = 0
    n2 = 0
    n3 = 0
    n4 = 0
    n5 = 0
    n6 = 0
    n7 = 0
    nlog = 0
    lo = 0
    hi = 0
    b2 = -1
    now = np.int64(0)
    end = np.int64(far)
    active = 0  # ranks that want a refresh command
    trig = ref[0, 0]
    for r in range(1, nrk):
        trig = min(trig, ref[r, 0])
    while True:
        while lo < hi:
            b = lo
            lo += 1
            if lo == hi and b2 >= 0:
                lo = b2
                hi = b2 + 1
                b2 = -1
            c = cnt[b]
            if c == 0 or (active > 0 and ref[rank_of[b], 4] == 1):
                key[b] = INF
            else:
                q = np.int64(head[b])
                kk = ACT
                if opn[b] == 1:
                    h = np.int64(hit[b])
                    if sched == 0:
                        ishit = h == q
                    else:
                        ishit = h < entered
                    if not ishit:
                        kk = PRE
                    else:
                        q = h
                        if sched == 2 and isw[h] != lastdir:
                            j = np.int64(nxr[h])
                            while j < entered:
                                if served[j] == 0 and isw[j] == lastdir and served[twin[j]] == 1:
                                    q = j
                                    break
                                j = np.int64(nxr[j])
                        kk = RD + np.int64(isw[q])
                        if page == 2:
                            kk += 2
                        elif page != 0:
                            j = np.int64(nxr[h])
                            if sched == 0:
                                further = j < entered and j == nxb[h]
                            else:
                                while j < entered and served[j] == 1:
                                    j = np.int64(nxr[j])
                                further = j < entered
                            if not further and (page == 3 or c >= 2):
                                kk += 2
                t = max(own[b * 8 + kk], (now << shift) + length[kk])
                key[b] = t | ((q + 1) << BANK_BITS) | b
                slot[b] = group_of[b] * 8 + kk
        best = np.int64(INF)
        for i in range(nbk):
            v = key[i]
            v = max(v, bnd[slot[i]] | (v & low))
            best = min(best, v)
        if split == 1:
            best = earliest_of_two_buses(key, slot, bnd, length, nbk, low, shift)
        kk = np.int64(slot[best & 63] & 7)
        tc = max((best - length[kk]) >> shift, now)
        ts = trig
        tr = -1
        if active > 0:
            for r in range(nrk):
                if ref[r, 3] >= 0:
                    t = max((bnd[r * gpr * 8 + ref[r, 3]] - length[ref[r, 3]]) >> shift, now)
                    if t < ts:
                        ts = t
                        tr = r
        enter = False
        lo = 0
        hi = 0
        b2 = -1
        if te <= 2 * tc and te <= 2 * ts:
            now = te >> 1
            enter = True
        elif tc < ts:
            now = tc
            b = best & 63
            q = ((best & low) >> BANK_BITS) - 1
            r = np.int64(rank_of[b])
            lo = b
            hi = b + 1
            if nlog < log.shape[0]:
                log[nlog, 0] = now
                log[nlog, 1] = kk
                log[nlog, 2] = b
                log[nlog, 3] = q
            nlog += 1
            nk = now << shift
            for j in range(8):
                own[b * 8 + j] = max(own[b * 8 + j], nk + same[kk * 8 + j])
            g0 = np.int64(group_of[b])
            for g in range(ngr):
                x = relation[g0 * ngr + g] + kk * 8
                for j in range(8):
                    bnd[g * 8 + j] = max(bnd[g * 8 + j], nk + rel[x + j])
            rst[r, 5] = now
            rst[r, 6] = kk
            if kk == ACT:
                n0 += 1
                i = rst[r, 4]
                ring[r * 4 + i] = nk
                i = (i + 1) & 3
                rst[r, 4] = i
                t = ring[r * 4 + i] + faw
                for g in range(r * gpr, (r + 1) * gpr):
                    bnd[g * 8 + ACT] = max(bnd[g * 8 + ACT], t)
                opn[b] = 1
                hit[b] = q
                actt[b] = now
                if rst[r, 0] == 0 and now >= rst[r, 1]:
                    rst[r, 3] += rst[r, 1] - rst[r, 2]
                    rst[r, 2] = now
                rst[r, 0] += 1
            elif kk == PRE:
                n1 += 1
                opn[b] = 0
                bp += 1
                rst[r, 0] -= 1
                rst[r, 1] = max(rst[r, 1], now)
            else:
                iw = np.int64(isw[q])
                due = now + (lat_w if iw == 1 else lat_r)
                if kk >= RDA:
                    if iw == 1:
                        t = now + close_w
                        n5 += 1
                    else:
                        t = max(now + close_r, actt[b] + ras)
                        n4 += 1
                    opn[b] = 0
                    bp += 1
                    rst[r, 0] -= 1
                    rst[r, 1] = max(rst[r, 1], t)
                elif iw == 1:
                    n3 += 1
                else:
                    n2 += 1
                if iw != lastdir and sched == 2:
                    lo = 0
                    hi = nbk
                lastdir = iw
                served[q] = 1
                if q == hit[b]:
                    j = np.int64(nxr[q])
                    while served[j] == 1:
                        j = np.int64(nxr[j])
                    hit[b] = j
                if q == head[b]:
                    j = np.int64(nxb[q])
                    while served[j] == 1:
                        j = np.int64(nxb[j])
                    head[b] = j
                cnt[b] -= 1
                ref[r, 5] -= 1
                total -= 1
                nw -= iw
                nserved += 1
                if not inorder:
                    last_rel = max(due, last_rel + 1)
                    last_fin = last_rel
                    deliv[nd] = last_rel
                    finish[q] = last_rel
                    nd += 1
                else:
                    if resp == 0:
                        last_rel = max(due, last_rel + 1)
                        due = last_rel
                    val[q] = due
                    while nd < R and val[nd] >= 0:
                        last_fin = max(val[nd], last_fin + 1)
                        deliv[nd] = last_fin
                        finish[nd] = last_fin
                        nd += 1
                if te == INF and pend < INF:
                    if buf == 0:
                        room = cnt[lastb] < N
                    elif buf == 1:
                        room = total - nw < N and nw < N
                    else:
                        room = total < N
                    if room:
                        if pend <= 2 * now:
                            enter = True
                        else:
                            te = pend
                if nserved == R:
                    end = last_fin
        else:
            now = max(now, ts)
            if now > end:
                break
            if tr < 0:
                for r in range(nrk):
                    if ref[r, 3] < 0 and now >= ref[r, 0]:
                        if now >= ref[r, 0] + refi:
                            ref[r, 0] += refi
                            ref[r, 2] = 0
                        if ref[r, 2] == 0:
                            ref[r, 6] = max(ref[r, 6], ref[r, 1])
                        if ref[r, 2] == 0 and ref[r, 1] == P:
                            ref[r, 4] = 1
                            ref[r, 3] = PREA if rst[r, 0] > 0 else REFA
                            active += 1
                            w = ref[r, 3]
                            t = max(bnd[r * gpr * 8 + w], (now << shift) + length[w])
                            keep = -1
                            if tc == now and best < t:
                                keep = best & 63
                            for i in range(r * bpr, (r + 1) * bpr):
                                if i != keep:
                                    key[i] = INF
                        elif ref[r, 5] > 0:
                            if ref[r, 2] == 0:
                                ref[r, 1] += 1
                            ref[r, 2] = 0
                            ref[r, 0] += refi
                        else:
                            ref[r, 3] = PREA if rst[r, 0] > 0 else REFA
                            active += 1
            else:
                r = tr
                w = ref[r, 3]
                if nlog < log.shape[0]:
                    log[nlog, 0] = now
                    log[nlog, 1] = w
                    log[nlog, 2] = r * bpr
                    log[nlog, 3] = -1
                nlog += 1
                nk = now << shift
                g0 = r * gpr
                for g in range(ngr):
                    x = relation[g0 * ngr + g] + w * 8
                    for j in range(8):
                        bnd[g * 8 + j] = max(bnd[g * 8 + j], nk + rel[x + j])
                rst[r, 5] = now
                rst[r, 6] = w
                if w == PREA:
                    n6 += 1
                    bp += rst[r, 0]
                    rst[r, 0] = 0
                    rst[r, 1] = max(rst[r, 1], now)
                    for i in range(r * bpr, (r + 1) * bpr):
                        opn[i] = 0
                    ref[r, 3] = REFA
                else:
                    n7 += 1
                    rst[r, 7] += 1
                    ref[r, 4] = 0
                    ref[r, 3] = -1
                    active -= 1
                    lo = r * bpr
                    hi = (r + 1) * bpr
                    if ref[r, 2] == 1:
                        ref[r, 1] -= 1
                    else:
                        ref[r, 2] = 1
                    ref[r, 7] = min(ref[r, 7], ref[r, 1])
                    if ref[r, 1] == -Q:
                        ref[r, 2] = 0
                        ref[r, 0] += refi
                    if now >= ref[r, 0]:
                        if now >= ref[r, 0] + refi:
                            ref[r, 0] += refi
                            ref[r, 2] = 0
                        if ref[r, 2] == 1:
                            if ref[r, 5] > 0:
                                ref[r, 2] = 0
                                ref[r, 0] += refi
                            else:
                                ref[r, 3] = REFA
                                active += 1
                        elif ref[r, 5] > 0:
                            ref[r, 6] = max(ref[r, 6], ref[r, 1])
                            if ref[r, 1] < P:
                                ref[r, 1] += 1
                                ref[r, 0] += refi
            trig = np.int64(far)
            for r in range(nrk):
                if ref[r, 3] < 0:
                    trig = min(trig, ref[r, 0])
        if active > 0:
            for r in range(nrk):
                if ref[r, 4] == 1:
                    ref[r, 3] = PREA if rst[r, 0] > 0 else REFA
        if enter:
            if active > 0:
                r = np.int64(rank_of[bank_of[entered]])
                if ref[r, 3] >= 0 and ref[r, 4] == 0:
                    # an idle rank wanted a refresh and is busy now
                    ref[r, 3] = -1
                    active -= 1
                    if ref[r, 2] == 0:
                        ref[r, 1] += 1
                    ref[r, 2] = 0
                    ref[r, 0] += refi
                    trig = np.int64(far)
                    for r in range(nrk):
                        if ref[r, 3] < 0:
                            trig = min(trig, ref[r, 0])
            b2 = np.int64(bank_of[entered])
            cnt[b2] += 1
            ref[rank_of[b2], 5] += 1
            total += 1
            nw += np.int64(isw[entered])
            entered += 1
            E = now
            lastb = b2
            te = np.int64(INF)
            pend = np.int64(INF)
            if lo == hi:
                lo = b2
                hi = b2 + 1
                b2 = -1
            if entered < R:
                if arb == 0:
                    acc = now
                old = tick
                tick = acc + 1 if same_clock else (acc * clk_ps) // tick_ps + 1
                if relative == 1:
                    tick = max(tick, old + line[entered])
                else:
                    tick = max(tick, line[entered])
                sent[entered] = tick
                cyc = tick if same_clock else -((-tick * tick_ps) // clk_ps)
        if pend == INF and entered < R and (arb == 0 or nd > entered - M):
            acc = cyc
            if arb == 0:
                pend = 2 * cyc + 1
            else:
                if entered >= M:
                    acc = max(acc, deliv[entered - M])
                pend = 2 * acc + 1 if acc > E else 2 * (E + 1)
            if buf == 0:
                room = cnt[lastb] < N
            elif buf == 1:
                room = total - nw < N and nw < N
            else:
                room = total < N
            if room:
                te = pend
    out[0] = end
    out[1] = n0
    out[2] = n1
    out[3] = n6
    out[4] = n2
    out[5] = n4
    out[6] = n3
    out[7] = n5
    out[8] = n7
    out[9] = bp
    out[10] = nlog
    return entered


@kernel
def simulate_slice(
    lo, hi, designs, chip, same, rel, length, completion, relation, group_of, rank_of,
    bank_of, nxb, nxr, isw, line, twin, first, log, out,
):  # fmt: skip
    nbk = chip[0]
    ngr = chip[1]
    nrk = chip[2]
    R = line.size
    key = np.empty(max(nbk, 64), np.int64)
    slot = np.empty(max(nbk, 64), np.uint8)
    own = np.empty(nbk * 8, np.int64)
    bnd = np.empty(ngr * 8, np.int64)
    head = np.empty(nbk, np.uint32)
    hit = np.empty(nbk, np.uint32)
    cnt = np.empty(nbk, np.int64)
    opn = np.empty(nbk, np.uint8)
    actt = np.zeros(nbk, np.int64)
    served = np.empty(R + 2, np.uint8)
    val = np.empty(R, np.int64)
    deliv = np.empty(R, np.int64)
    finish = np.empty(R, np.int64)
    sent = np.empty(R, np.int64)
    ring = np.empty(nrk * 4, np.int64)
    ref = np.empty((nrk, 8), np.int64)
    rst = np.empty((nrk, 8), np.int64)
    bins = np.empty(4096, np.int64)
    same_clock = chip[11] == chip[12]
    for i in range(lo, hi):
        run_design(
            designs[i], chip, same, rel, length, relation, group_of, rank_of, bank_of, nxb, nxr, isw, line,
            twin, first, key, slot, own, bnd, head, hit, cnt, opn, actt, served, val, deliv, finish, sent,
            ring, ref, rst, log, out[i],
        )  # fmt: skip
        active_cycles = 0
        pre_cycles = 0
        owed = 0
        most_owed = 0
        most_postponed = 0
        most_pulled_in = 0
        for r in range(nrk):
            last = rst[r, 5]
            if rst[r, 6] >= 0:
                last += completion[rst[r, 6]]
            if rst[r, 1] > rst[r, 5]:
                last = rst[r, 1] + completion[PRE]
            last = max(last - 1, 0)
            until = last if rst[r, 0] > 0 else rst[r, 1]
            a = rst[r, 3] + until - rst[r, 2] + rst[r, 7] * chip[14]
            active_cycles += a
            pre_cycles += last - a
            o = max(out[i, 0] // chip[7] - rst[r, 7], 0)
            owed += o
            most_owed = max(most_owed, o)
            most_postponed = max(most_postponed, ref[r, 6])
            most_pulled_in = max(most_pulled_in, -ref[r, 7])
        out[i, 11] = active_cycles
        out[i, 12] = pre_cycles
        out[i, 13] = owed
        out[i, 14] = most_owed
        if same_clock:
            for p in range(R):
                finish[p] -= sent[p]
        else:
            for p in range(R):
                finish[p] = finish[p] * chip[12] - sent[p] * chip[11]
        total = 0
        for p in range(R):
            total += finish[p]
        a, b, c = percentile_bins(finish, bins, np.int64(R * 0.5), np.int64(R * 0.99))
        out[i, 15] = total
        out[i, 16] = a
        out[i, 17] = b
        out[i, 18] = c
        out[i, 19] = most_postponed
        out[i, 20] = most_pulled_in
