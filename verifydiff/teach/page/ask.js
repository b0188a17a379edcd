// Questions to the server on this machine. Of several to the same place only the latest is answered.

export class Refused extends Error {}

export async function ask(path, asked = {}, signal = undefined) {
  let response;
  try {
    response = await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("offline");
  }
  const told = await response.json();
  if (!response.ok) throw new Refused(told.error);
  return told;
}

export function latest() {
  let going = null;
  return async (path, asked) => {
    going?.abort();
    going = new AbortController();
    return ask(path, asked, going.signal);
  };
}
