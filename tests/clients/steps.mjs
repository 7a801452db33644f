// Runs named steps one after another and prints one JSON line for each: what it was, how it went.
const steps = [];

export function step(name, run) {
  steps.push({ name, run });
}

export async function play() {
  for (const { name, run } of steps) {
    try {
      await run();
      console.log(JSON.stringify({ name, error: null }));
    } catch (error) {
      console.log(JSON.stringify({ name, error: String(error?.stack ?? error) }));
    }
  }
}

export async function refused(code, act) {
  try {
    await act();
  } catch (error) {
    const found = error.errorCode ?? error.name ?? '';
    if (!String(found).includes(code) && !String(error.message).includes(code)) {
      throw new Error(`refused with ${found}: ${error.message}, not with ${code}`);
    }
    return error;
  }
  throw new Error(`not refused; ${code} was due`);
}
