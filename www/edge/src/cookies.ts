// Names of their own, so that the back-ends don't take each other's tokens. `__Host-`: no subdomain can have set them, and no plain http (but on loopback).
// Path=/; Secure; HttpOnly; SameSite=Lax is the handler's own default; whoever signs somebody in sets them in the same way.
export const CLERK = { accessToken: { name: "__Host-clerk_session" }, refreshToken: { name: "__Host-clerk_client" } };
export const KSEF = { accessToken: { name: "__Host-ksef_access" }, refreshToken: { name: "__Host-ksef_refresh" } };

export const setCookie = ({ name }: { name: string }, value: string): string => `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`;

export function cookieOf(request: Request, name: string): string | null {
  const pairs = (request.headers.get("cookie") ?? "").split("; ");
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) || null;
}
