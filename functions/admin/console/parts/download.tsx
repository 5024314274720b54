import { attempt } from './toast.tsx';

interface DownloadProps {
  readonly name: string;
  readonly load: () => Promise<Blob>;
}

/** A file that is fetched as everything else is: a plain link could not say which workspace is meant. */
export function Download({ name, load }: DownloadProps) {
  const save = async () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await load());
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <button type="button" class="small" onClick={() => attempt(save)}>
      {name.split('.').at(-1)?.toUpperCase()}
    </button>
  );
}
