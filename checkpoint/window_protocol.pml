// SPDX-License-Identifier: Apache-2.0
/* The window protocol as a model: two workers, a queue and a Postgres in every interleaving, and a
 * budget of faults that strike wherever they hurt. `tests/model/check.sh` checks it exhaustively;
 * README.md says what was counted. Each process below is one party and lists all that it may do:
 *
 *   Deliver(m)   what the queue does with a message       Next(w, k)       what a window needs next
 *   Run(w)       a worker starts, dies, loses its file    Transaction(b)   a backend of Postgres
 *
 * A fault takes one from `faults`; all other steps are free, and no fairness is assumed: what ends well
 * here ends well under every schedule. A macro in capitals is a size, a mode or a mutation.
 */

/* P1 no loss      a message is deleted only when its row or rejection is committed, on the standby too
 * P2 once         a message becomes a row or a rejection once, however often it comes
 * P3 whole        of a window that is known to be loaded, nothing is missing in Postgres
 * P4 accounted    received + carried in = loaded + duplicate + rejected + carried out, and nothing is
 *                 counted twice, or never
 * P5 same         an id stands for one commit of one content
 * P6 progress     every run of the model ends, and then everything is deleted, closed and unlocked
 * The checker prints the number of the one that is broken. WITHOUT=n looks away from one. */
#ifndef WITHOUT
#define WITHOUT 0
#endif
#define promised(number, holds) assert(number == WITHOUT || (holds))

#ifndef MESSAGES
#define MESSAGES 2                /* up to 3 */
#endif
#ifndef WORKERS
#define WORKERS 2                 /* up to 2 */
#endif
#ifndef WINDOWS
#define WINDOWS 1                 /* up to 2: unfinished ones of a worker */
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
byte faults;

/* A set, of messages or of ids, is a number. */
#define only(e) (1 << (e))
#define has(set, e) (((set) >> (e)) & 1)
#define size(set) (has(set, 0) + has(set, 1) + has(set, 2))
#define lowest(set) ((set) & -(set))
#define everything (only(MESSAGES) - 1)
#define highest(set) (((set) & 4) -> 4 : (((set) & 2) -> 2 : (set)))

inline pick(m, set) {
  if :: has(set, 0) -> m = 0 :: has(set, 1) -> m = 1 :: has(set, 2) -> m = 2 fi
}

/* ---- What there is: the queue, the checkpoints, Postgres ---- */

mtype:queue = { visible, leased, deleted, dead_letter };
mtype:queue queue[MESSAGES];
byte newest[MESSAGES];            /* the place of its newest receipt; all others are stale */
byte received[MESSAGES];          /* LEAVE: how often */

mtype:window = { none, open, sealed, loaded, closed };
typedef Window {
  mtype:window state;
  byte id, messages, rejected;
  byte receipts                   /* of messages that are still to be deleted */
}
typedef Worker {
  bit runs;
  byte ids;                       /* COUNTED_IDS */
  byte balance;                   /* of P4: came, and is not settled */
  Window window[WINDOWS]
}
Worker worker[WORKERS];
byte counted;                     /* as loaded or rejected, by some run */
bit forgotten;                    /* a checkpoint was lost or fell back: sums over runs may be off */

#define at(w, k) worker[w].window[k]
#define here at(w, k)
#define place (w * WINDOWS + k + 1)
#define is_of(p, w) (p > w * WINDOWS && p <= (w + 1) * WINDOWS)
#define unloaded(w, k) ((at(w, k).state == open || at(w, k).state == sealed) -> size(at(w, k).messages) : 0)
#define carried(w) (unloaded(w, 0) + (WINDOWS - 1) * unloaded(w, WINDOWS - 1))

byte rows, rejections;            /* committed: the target, sluice.rejected_message */
byte ledger;                      /* sluice.loaded_message */
typedef LoadedWindow { byte contents, fresh }
#define IDS (WORKERS * WINDOWS + FAULTS + 2)
LoadedWindow loaded_window[IDS];  /* sluice.loaded_window: its digest, and what the window added */
byte letters, forwarded;          /* FORWARD: sent to the dead-letter queue; known to be */
byte flushed, on_standby;         /* STANDBY: what the log has here, and there */
#define committed (rows | rejections)

mtype:backend = { idle, inserting_id, inserting_keys, committing, at_standby, answered, other_contents };
typedef Backend {
  mtype:backend step;
  byte window, id, contents, rejected;
  byte keys;                      /* still to be inserted into the ledger */
  byte fresh;                     /* inserted: locked until the transaction ends */
  byte left;                      /* LEAVE: stays in the queue */
  byte carries;                   /* STANDBY: what it has when it has this COMMIT */
  bit by_insert, learned
}
#define BACKENDS (WORKERS + FAULTS)
Backend backend[BACKENDS];        /* one for each worker, and those that outlived their client */
byte locked_keys;
short locked_ids;

hidden byte i, key;               /* in d_step only */
hidden short used;

/* ---- Transaction: begin, the id, the ledger key by key, COMMIT ---- */

#define in_transaction(b) \
  (backend[b].step == inserting_keys || backend[b].step == committing || backend[b].step == at_standby)

inline unlock(b) {
  if
  :: in_transaction(b) && !backend[b].learned ->
     locked_ids = locked_ids & ~only(backend[b].id);
     locked_keys = locked_keys & ~backend[b].fresh
  :: else
  fi
}

inline end_transaction(b) {
  unlock(b);
  backend[b].step = idle; backend[b].window = 0; backend[b].id = 0; backend[b].contents = 0;
  backend[b].rejected = 0; backend[b].keys = 0; backend[b].fresh = 0; backend[b].left = 0;
  backend[b].carries = 0; backend[b].by_insert = 0; backend[b].learned = 0
}

/* Where the id is committed the load is over: learned, or the id is another content's. */
inline insert_window(b) {
#define record loaded_window[backend[b].id]
#ifdef LEAVE
  backend[b].left = (record.contents -> backend[b].contents : backend[b].rejected) & ~ledger;
#endif
  if
  :: !record.contents ->
#ifndef SELECT_INSTEAD
     locked_ids = locked_ids | only(backend[b].id);
#endif
#ifdef LEAVE_IN_LEDGER
     backend[b].keys = backend[b].contents;
#else
     backend[b].keys = backend[b].contents & ~backend[b].left;
#endif
     backend[b].step = (backend[b].keys -> inserting_keys : committing)
#ifndef NO_DIGEST
  :: record.contents && record.contents != backend[b].contents -> backend[b].step = other_contents
#endif
  :: else ->
     backend[b].learned = 1;
#ifdef NO_WRITE
     backend[b].step = answered   /* nothing written: this COMMIT waits for nobody */
#else
     backend[b].step = committing
#endif
  fi
}

#ifdef UNSORTED
#define next_key(b) (b == 1 -> highest(backend[b].keys) : lowest(backend[b].keys))
#else
#define next_key(b) lowest(backend[b].keys)
#endif
#ifdef NO_LEDGER
#define is_known(b) false
#define is_free(b) true
#else
#define is_known(b) (next_key(b) & ledger)
#define is_free(b) (!(next_key(b) & locked_keys))
#endif

inline next(b) {                  /* after the last key COMMIT is sent */
  backend[b].keys = backend[b].keys & ~next_key(b);
  backend[b].step = (backend[b].keys -> inserting_keys : committing)
}

/* Rows, rejections, ledger and the window's record become visible together, or never. */
inline commit(b) {
#define new_rows (backend[b].fresh & ~backend[b].rejected)
#if defined(REJECT_BEFORE) || defined(REJECT_AFTER) || defined(LEAVE)
#define new_rejections 0
#else
#define new_rejections (backend[b].fresh & backend[b].rejected)
#endif
  if
  :: !backend[b].learned ->
     promised(2, !((new_rows | new_rejections) & committed) && !(new_rows & letters));
     promised(5, !record.contents);
     rows = rows | new_rows;
     rejections = rejections | new_rejections;
     ledger = ledger | backend[b].fresh;
     record.contents = backend[b].contents;
     record.fresh = backend[b].fresh
  :: else
  fi;
  unlock(b);
  backend[b].step = answered;
  if :: b >= WORKERS -> end_transaction(b) :: else fi
}

proctype Transaction(byte b) {
end: do
  /* what another transaction has inserted and not committed is waited for, an id like a key */
  :: d_step { backend[b].step == inserting_id && !has(locked_ids, backend[b].id) -> insert_window(b) }
#define at_key(b) (backend[b].step == inserting_keys && b < WORKERS && is_free(b))
  :: d_step { at_key(b) && !is_known(b) ->
       backend[b].fresh = backend[b].fresh | next_key(b);
       locked_keys = locked_keys | next_key(b);
       next(b) }
  /* a duplicate: looked up before the COPY, or ON CONFLICT DO NOTHING */
  :: d_step { at_key(b) && is_known(b) -> next(b) }
  /* a duplicate that the COPY meets, 23505: all again, by INSERT … ON CONFLICT */
  :: d_step { at_key(b) && is_known(b) && !backend[b].by_insert ->
       unlock(b);
       backend[b].step = inserting_id; backend[b].keys = 0; backend[b].fresh = 0;
       backend[b].by_insert = 1 }
#ifndef STANDBY
  :: d_step { backend[b].step == committing -> commit(b) }
#else
  :: d_step { backend[b].step == committing ->
       flushed = flushed | backend[b].fresh;
       backend[b].carries = flushed;
       backend[b].step = at_standby }
  :: d_step { backend[b].step == at_standby -> on_standby = on_standby | backend[b].carries; commit(b) }
  /* fault: the wait is cancelled; it is committed here, and COMMIT is answered with a warning */
  :: d_step { faults && backend[b].step == at_standby -> faults--;
       commit(b);
#ifndef WARNING_NOT_READ
       end_transaction(b)         /* in doubt: `load` again */
#endif
     }
#endif
#ifndef NO_TIMEOUTS
  /* no client: its COMMIT never came, and Postgres noticed */
  :: d_step { b >= WORKERS && (backend[b].step == inserting_keys || backend[b].step == committing) ->
       end_transaction(b) }
#endif
  od
}

#ifdef STANDBY
/* Fault: the primary restarts. What is flushed stands from now on, whether or not the standby has it. */
active proctype Restart() {
end: do
  :: d_step { faults -> faults--;
       for (i : 0 .. BACKENDS - 1) {
         if :: backend[i].step == at_standby -> commit(i) :: else fi;
         end_transaction(i)
       } }
  od
}
#endif

/* ---- Next: seal, load, mark_loaded, forward, remove, close ---- */

/* 128 random bits, unknown to everybody. One that no checkpoint and no transaction can name any more
 * stands for them, and so the model is finite. */
inline make_id(w, target) {
#ifdef COUNTED_IDS
  worker[w].ids++;
  target = worker[w].ids;
#else
  used = 1;
  for (i : 0 .. WORKERS - 1) {
    used = used | only(at(i, 0).id) | only(at(i, WINDOWS - 1).id)
  }
  for (i : 0 .. BACKENDS - 1) { used = used | only(backend[i].id) }
  i = 0;
  do :: has(used, i) -> i++ :: else -> break od;
  loaded_window[i].contents = 0; loaded_window[i].fresh = 0;
  target = i
#endif
}

inline forget(w, k) {
  here.state = none; here.id = 0; here.messages = 0; here.rejected = 0; here.receipts = 0
}

inline show_again(m) {
  if :: queue[m] == leased && newest[m] == place -> queue[m] = visible :: else fi
}

inline load(w, k) {
#ifdef NEW_ID_EACH_LOAD
  make_id(w, here.id);
#endif
#ifdef REJECT_BEFORE
  promised(2, !(here.rejected & committed));
  rejections = rejections | here.rejected;
#endif
#ifdef FORWARD_FIRST
  letters = letters | here.rejected;
#endif
  backend[w].step = inserting_id; backend[w].window = k; backend[w].id = here.id;
  backend[w].contents = here.messages; backend[w].rejected = here.rejected
}

/* Answered: by this transaction or an earlier one the window is committed. */
inline mark_loaded(w, k) {
#define added loaded_window[here.id].fresh
#ifdef REJECT_AFTER
  rejections = rejections | (backend[w].learned -> 0 : here.rejected & added);
#endif
  promised(5, loaded_window[here.id].contents == here.messages);
  promised(3, !(here.messages & ~backend[w].left & ~committed));
#ifdef STAGED_COUNTS
  key = (backend[w].learned -> here.messages : added);
#else
  key = added;
#endif
  promised(4, forgotten || !(counted & key));
  counted = counted | key;
  worker[w].balance = worker[w].balance - size(here.messages);
  here.state = loaded;
  here.receipts = here.receipts & ~backend[w].left;
  for (i : 0 .. MESSAGES - 1) { if :: has(backend[w].left, i) -> show_again(i) :: else fi }
  end_transaction(w)
}

#ifdef DELETE_BEFORE_LOAD
#define may_remove (here.state == sealed || here.state == loaded)
#else
#define may_remove (here.state == loaded && !unforwarded)
#endif
#ifdef STANDBY
#define is_kept(m) has(committed & on_standby, m)
#elif defined(FORWARD)
#define is_kept(m) (has(rows, m) || has(rejections & letters, m))
#else
#define is_kept(m) has(committed, m)
#endif
#if defined(FORWARD_OWN)
#define unforwarded (here.messages & added & rejections & ~forwarded)
#elif defined(FORWARD) && !defined(FORWARD_FIRST)
#define unforwarded (here.messages & rejections & ~forwarded)
#else
#define unforwarded 0
#endif

inline erase(m) {
  if :: queue[m] != dead_letter -> queue[m] = deleted :: else fi
}

inline done(m) {                  /* as the queue says */
  here.receipts = here.receipts & ~only(m);
#ifdef STALE_DELETE_BELIEVED
  ledger = ledger & ~only(m)      /* deleted, it will not come again */
#endif
}

/* An older state of the file: any that this window had. */
inline fall_back(w, k) {
  do
  :: here.state == loaded || here.state == closed -> here.state = sealed; here.receipts = here.messages
  :: here.state == sealed -> here.state = open;
#ifndef ID_AT_OPEN
     here.id = 0
#endif
  :: here.state == open && here.messages ->
     pick(m, here.messages);
     here.messages = here.messages & ~only(m);
     here.rejected = here.rejected & ~only(m);
     here.receipts = here.messages;
     m = 0
  :: break
  od;
#ifndef ID_AT_OPEN
  if :: !here.messages -> forget(w, k) :: else fi;
#endif
  worker[w].balance = carried(w)
}

proctype Next(byte w; byte k) {
  byte m;
#define is(which) (worker[w].runs && here.state == which)
#define is_told(what) (worker[w].runs && backend[w].step == what && backend[w].window == k)
end: do
  :: d_step { is(open) && here.messages ->  /* seal */
       here.state = sealed;
#ifndef ID_AT_OPEN
       make_id(w, here.id)
#endif
     }
  :: d_step { is(sealed) && backend[w].step == idle -> load(w, k) }
  :: d_step { is_told(answered) -> mark_loaded(w, k) }
  :: d_step { is_told(other_contents) -> end_transaction(w); make_id(w, here.id) }  /* reseal */
#ifdef FORWARD
  /* the dead-letter queue has it, and then Postgres knows: killed between the two, it is sent again */
  :: d_step { is(loaded) && (unforwarded & ~letters) -> letters = letters | unforwarded }
  :: d_step { is(loaded) && unforwarded && !(unforwarded & ~letters) -> forwarded = forwarded | unforwarded }
#endif
  :: atomic { worker[w].runs && may_remove && here.receipts ->  /* remove */
       pick(m, here.receipts);
       promised(1, is_kept(m));
       if
       :: newest[m] == place -> erase(m); done(m)
#ifndef STALE_ASKED_AGAIN
       :: newest[m] != place -> done(m)            /* stale: answered like success, nothing deleted */
#else
       :: newest[m] != place
#endif
       :: newest[m] != place -> erase(m); done(m)  /* stale, and deleted all the same */
       :: faults -> faults--; erase(m)             /* fault: the answer is lost */
       :: faults -> faults--; here.receipts = here.receipts & ~only(m); show_again(m)  /* refused */
       fi;
       m = 0 }
  :: d_step { is(loaded) && !here.receipts && !unforwarded -> here.state = closed }
  /* fault */
  :: atomic { faults && !worker[w].runs && here.state != none -> faults--; forgotten = 1; fall_back(w, k) }
  od
}

/* ---- Run: a worker's life ---- */

#define balances(w) promised(4, worker[w].balance == carried(w))

/* The connection goes. What holds locks lives on, without a client. */
inline leave_behind(w) {
  if
  :: in_transaction(w) && !backend[w].learned ->
     i = WORKERS;
     do :: backend[i].step != idle -> i++ :: else -> break od;
     backend[i].step = backend[w].step; backend[i].id = backend[w].id;
     backend[i].contents = backend[w].contents; backend[i].rejected = backend[w].rejected;
     backend[i].keys = backend[w].keys; backend[i].fresh = backend[w].fresh;
     backend[i].carries = backend[w].carries;
     backend[w].step = idle       /* so that nothing is unlocked */
  :: else
  fi;
  end_transaction(w)
}

inline forget_all(w) {
  for (i : 0 .. WINDOWS - 1) { forget(w, i) }
}

proctype Run(byte w) {
end: do
  /* the windows that a run finds go on from where they are, by the same steps */
  :: d_step { !worker[w].runs ->
#ifdef NO_RECOVERY
       forget_all(w);
#endif
       balances(w);
       worker[w].runs = 1 }
  /* fault: kill -9, or SIGTERM, which prints the sums: so they must be right at any moment */
  :: d_step { faults && worker[w].runs -> faults--;
       balances(w);
       leave_behind(w);
       for (i : 0 .. MESSAGES - 1) {
         if :: queue[i] == leased && is_of(newest[i], w) -> queue[i] = visible :: else fi
       }
       worker[w].runs = 0 }
  /* fault: the connection is cut, before COMMIT or after */
  :: d_step { faults && backend[w].step != idle -> faults--;
#ifdef CUT_BELIEVED
       if :: backend[w].step == committing -> at(w, backend[w].window).state = loaded :: else fi;
#endif
       leave_behind(w) }
  /* fault: the checkpoint is lost, or damaged and set aside */
  :: d_step { faults && !worker[w].runs -> faults--; forgotten = 1;
       forget_all(w);
       worker[w].ids = 0; worker[w].balance = 0 }
  od
}

/* ---- Deliver: receive and stage ---- */

#ifdef ADD_TO_SEALED
#define fills(w, k) (at(w, k).state == open || at(w, k).state == sealed)
#else
#define fills(w, k) (at(w, k).state == open)
#endif
#define takes(w, k) (fills(w, k) || at(w, k).state == none || at(w, k).state == closed)
#define receives(w) \
  (queue[m] == visible && worker[w].runs && (takes(w, 0) || takes(w, WINDOWS - 1)) && received[m] < 2)

/* In one step: what is received and not staged is an answer lost. Staged twice in one window, a message
 * keeps its row and takes the newest receipt: a duplicate, settled at once. */
inline stage(m, w, is_rejected) {
  k = 0;
  do :: k < WINDOWS && !fills(w, k) -> k++ :: else -> break od;
  if
  :: k == WINDOWS ->              /* open_window */
     k = 0;
     do :: !takes(w, k) -> k++ :: else -> break od;
     forget(w, k);
     here.state = open;
#ifdef ID_AT_OPEN
     make_id(w, here.id)
#endif
  :: else
  fi;
  if
  :: !has(here.messages, m) ->
     here.messages = here.messages | only(m);
     here.rejected = here.rejected | (is_rejected << m);
     worker[w].balance++
  :: else
  fi;
  here.receipts = here.receipts | only(m);
  queue[m] = leased; newest[m] = place;
#ifdef LEAVE
  received[m]++;
#endif
  k = 0
}

/* The last message is bad. The first is good or, DISPUTED, judged anew at each delivery, as by two
 * versions of a pipeline. */
#define is_bad(m) (m == MESSAGES - 1 && m > 0)

proctype Deliver(byte m) {
  byte k;
end: do
  :: d_step { receives(0) -> stage(m, 0, is_bad(m)) }
#if WORKERS > 1
  :: d_step { receives(1) -> stage(m, 1, is_bad(m)) }
#endif
#ifdef DISPUTED
  :: d_step { m == 0 && receives(0) -> stage(m, 0, 1) }
#if WORKERS > 1
  :: d_step { m == 0 && receives(1) -> stage(m, 1, 1) }
#endif
#endif
#ifdef LEAVE
  :: d_step { queue[m] == visible && received[m] == 2 -> queue[m] = dead_letter }  /* redrive policy */
#endif
  /* faults: the lease lapses under a live worker; delivered again after a delete that succeeded;
   * received, and the answer lost, so that every receipt at hand is stale */
  :: d_step { faults && queue[m] == leased -> faults--; queue[m] = visible }
  :: d_step { faults && queue[m] == deleted -> faults--; queue[m] = visible }
  :: d_step { faults && queue[m] == visible && newest[m] -> faults--; newest[m] = 0 }
  od
}

/* ---- Beginning and end ---- */

init {
  byte e;
  atomic {
    for (e : 0 .. MESSAGES - 1) { queue[e] = visible; run Deliver(e) }
    for (e : 0 .. BACKENDS - 1) { backend[e].step = idle; run Transaction(e) }
    for (e : 0 .. WORKERS * WINDOWS - 1) {
      at(e / WINDOWS, e % WINDOWS).state = none;
      run Next(e / WINDOWS, e % WINDOWS)
    }
    for (e : 0 .. WORKERS - 1) { run Run(e) }
    do :: faults < FAULTS -> faults++ :: break od  /* no fault, one, …: each number has its own end */
  }
}

active proctype End() {
  byte e;
  timeout -> d_step {             /* nobody can do anything any more */
    for (e : 0 .. MESSAGES - 1) {
      promised(6, (queue[e] == deleted && has(committed, e)) || queue[e] == dead_letter)
    }
    for (e : 0 .. WORKERS * WINDOWS - 1) {
      promised(6, unloaded(e / WINDOWS, e % WINDOWS) == 0 && at(e / WINDOWS, e % WINDOWS).state != loaded)
    }
    for (e : 0 .. BACKENDS - 1) { promised(6, backend[e].step == idle) }
    promised(6, !locked_ids && !locked_keys);
#if defined(FORWARD) && !defined(FORWARD_FIRST)
    promised(6, rejections == forwarded);
#endif
    promised(4, forgotten || counted == committed)
  }
}

/* A model in which nothing happens proves nothing: each of these must be reached, PROBE names it. */
#define is_orphan(b) (backend[b].step == committing || backend[b].step == at_standby)
#define waits_for_key(b) (backend[b].step == inserting_keys && !is_free(b))
#define shared (at(0, 0).messages == everything && at(1, 0).messages == everything)
#define load_again (has(locked_ids, backend[0].id) && backend[0].step == inserting_id)
#define behind_a_worker (waits_for_key(1) && in_transaction(0))
#define behind_an_orphan (waits_for_key(1) && is_orphan(2))
#define behind_a_lost_window \
  (waits_for_key(0) && is_orphan(2) && backend[0].id != backend[2].id && forgotten)
#define two_orphans (is_orphan(2) && is_orphan(3))
#define again_by_insert (backend[0].by_insert && backend[0].step == committing)
#define learned_by_id (backend[0].learned && backend[0].step == answered)
#define duplicates_only (backend[0].step == answered && !backend[0].learned && !backend[0].fresh)
#define stale (at(0, 0).state == loaded && has(at(0, 0).receipts, 0) && newest[0] != 1)
#define redelivered (queue[0] == visible && counted == everything)
#define fallen_back (at(0, 0).state == open && (at(0, 0).messages & committed) && forgotten)
#define disagreed (has(rows & backend[1].rejected, 0) && backend[1].step == answered)
#define not_on_standby (committed & ~on_standby)
#define learned_at_standby \
  (backend[0].learned && backend[0].step == at_standby && (backend[0].contents & ~on_standby))
#define sent_and_not_known ((letters & ~forwarded) && !worker[0].runs && !worker[1].runs)
#define another_forwards (backend[0].step == answered && !backend[0].fresh && (rejections & ~letters))
#define left_and_learned (has(backend[0].left, 1) && backend[0].learned)
#define redriven (queue[1] == dead_letter)
#define another_content (backend[0].step == other_contents)

#ifdef PROBE
active proctype Probe() {
end: PROBE -> promised(7, false)
}
#endif
