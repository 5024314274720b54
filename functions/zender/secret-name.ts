/** `secret`, `data[secret]`, `amp;secret`, but neither `secrets` nor `my_secret`. */
export function isSecretName(name: string): boolean {
  return /(?:^|[^\w-])secret(?:$|[^\w-])/i.test(name);
}
