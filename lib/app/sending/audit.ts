import { walk } from '../lists/walk.ts';
import { retrying } from '../retrying-store.ts';
import { del, put } from '../store.ts';
import { type AuditProgress, begun, type Difference, readProgress } from './audit-progress.ts';
import { auditStages } from './audit-stages.ts';
import { sumDifferences } from './audit-sums.ts';
import { auditKey } from './keys.ts';
import type { StorePorts } from './with-retries.ts';

export interface Audit {
  readonly ok: boolean;
  /** In words, each with the numbers that should be equal. */
  readonly differences: readonly string[];
  /** False: what was counted so far is kept, and the next call goes on from there. */
  readonly complete: boolean;
  /** When this audit was begun. */
  readonly asOf: number;
}

/** API Gateway waits 30 s for an answer; one slow item may come on top of this. */
const LONGEST_MS = 20_000;
const PATIENCE_MS = 5_000;
/** An index may show a send late, and a clock may have been wrong: a sum that differs counts if it does so each time. */
const PASSES = 3;
/** Sums are known no better than by how much they moved meanwhile: what was left for so long would say little. */
const STALE_MS = 24 * 3_600_000;
/** An answer is for people to read. */
const MOST_DIFFERENCES = 100;

/**
 * Counts everything again from the sends themselves, and compares it with what was kept along the way; as far as the
 * time of one call reaches, and on from there with the next. The hub goes on meanwhile. So what lies in one item, or in
 * two that only change together, is compared at once; sums are known no better than by how much they moved while they
 * were counted, and what lies within that is no difference.
 */
export async function audit(given: StorePorts, workspace: string, budgetMs = LONGEST_MS): Promise<Audit> {
  const { clock, random } = given;
  const deadline = clock.monotonic() + budgetMs;
  const isTimeUp = () => clock.monotonic() >= deadline;
  const ports = { clock, random, store: retrying(given.store, clock, random, deadline + PATIENCE_MS) };
  const saved = await readProgress(ports.store, workspace);
  const isFresh = (saved.progress?.startedAt ?? 0) > clock.now() - STALE_MS;
  let progress = isFresh && saved.progress ? saved.progress : begun(clock.now());
  let complete = false;
  do {
    const walked = await onePass(ports, workspace, progress, isTimeUp);
    progress = walked.progress;
    complete = walked.complete;
    if (walked.isStopped) break;
  } while (!complete && !isTimeUp());
  // Somebody else may have asked at the same time and be further on: then this call has only its own answer.
  if (!complete) await ports.store.write(put({ ...auditKey(workspace), ...kept(progress) }, saved.asRead));
  else if (saved.progress) await ports.store.write(del(auditKey(workspace), saved.asRead));
  const differences = Object.values(progress.differences);
  return { ok: differences.length === 0, differences, complete, asOf: progress.startedAt };
}

interface Walked {
  readonly progress: AuditProgress;
  readonly complete: boolean;
  readonly isStopped: boolean;
}

async function onePass(
  ports: StorePorts,
  workspace: string,
  progress: AuditProgress,
  isTimeUp: () => boolean,
): Promise<Walked> {
  const pass = { ...progress, differences: { ...progress.differences } };
  const note = ({ what, words }: Difference) => {
    if (Object.keys(pass.differences).length < MOST_DIFFERENCES) pass.differences[what] ??= words;
  };
  if (!pass.isWalked) {
    const at = await walk(ports.store, await auditStages(ports, workspace, pass, note), pass.at, isTimeUp);
    if (at) return { progress: { ...pass, at }, complete: false, isStopped: true };
    pass.isWalked = true;
  }
  const sums = await sumDifferences(ports, workspace, pass, isTimeUp);
  if (!sums) return { progress: pass, complete: false, isStopped: true };
  const lasting = sums.filter(({ what }) => pass.suspects?.includes(what) ?? true);
  if (lasting.length > 0 && pass.pass < PASSES) {
    const { startedAt, differences } = pass;
    const suspects = lasting.map(({ what }) => what);
    const next = { ...begun(startedAt), step: pass.step, pass: pass.pass + 1, differences, suspects };
    return { progress: next, complete: false, isStopped: false };
  }
  lasting.forEach(note);
  return { progress: pass, complete: true, isStopped: false };
}

const kept = (progress: AuditProgress) => ({ kind: 'audit', ...progress, step: progress.step + 1 });
