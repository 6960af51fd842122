import { words } from "../words.ts";

/** What the page is for, what it cannot tell, and what becomes of the photos. */
export function Care() {
  const { care } = words;
  return (
    <footer class="care">
      <details>
        <summary>{care.summary}</summary>
        {care.sections.map(({ title, text }) => (
          <section key={title}>
            <h2>{title}</h2>
            <p>{text}</p>
          </section>
        ))}
        <p>
          {care.samples} (
          <a href="./samples/NOTICE" type="text/plain">
            {care.notice}
          </a>
          ).
        </p>
      </details>
      <a href="./bench/" target="_blank" rel="noopener">
        {care.bench}
      </a>
    </footer>
  );
}
