/**
 * Calls back once the process that started this one is gone. npm passes SIGTERM on, but cannot pass on SIGKILL: the hub
 * would stay behind on its port and its data, and hinder the next start. Only npm is followed so: a hub that was put
 * in the background by hand is to outlive its shell.
 */
export function whenNpmEnds(act: () => void): void {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 200);
  timer.unref();
}
