package org.tokentune.testing;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Damages a valid file with seeded mutations and passes it to a reader. The reader may report an
 * error of the right type, in one sentence that names the file, or return the original result; if
 * the damage need not be noticed, it may also return another result. It must not throw any other
 * exception, or take more than 10 seconds.
 *
 * <p>{@code -Dtokentune.fuzz.cases=N} (100) cases per file, {@code -Dtokentune.fuzz.seed=N} (1).
 */
public final class Fuzz {

  private static final int CASES = Integer.getInteger("tokentune.fuzz.cases", 100);
  private static final long SEED = Long.getLong("tokentune.fuzz.seed", 1);
  private static final int MOST_SECONDS = 10;
  private static final int MOST_MESSAGE = 2_100;

  private final Path folder;
  private final Class<? extends RuntimeException> refusal;
  private final Map<String, byte[]> files = new LinkedHashMap<>();

  /**
   * @param folder for the files
   * @param refusal the type of the allowed error
   */
  public Fuzz(Path folder, Class<? extends RuntimeException> refusal) {
    this.folder = folder;
    this.refusal = refusal;
  }

  /** Reads the folder; results are compared with {@code equals}. */
  public interface Reader {
    Object read(Path folder) throws Exception;
  }

  /** Adds a valid file, which is used unchanged unless it is damaged. */
  public Fuzz with(String name, byte[] bytes) throws IOException {
    files.put(name, bytes);
    Files.createDirectories(folder.resolve(name).getParent());
    Files.write(folder.resolve(name), bytes);
    return this;
  }

  /** Adds a valid file with this content. */
  public Fuzz with(String name, Path file) throws IOException {
    return with(name, Files.readAllBytes(file));
  }

  /**
   * Damages one of the files with each of {@code makers} in turn.
   *
   * @param kept cases with other seeds that have failed before, as {@code seed:case}
   */
  public void run(String name, Reader reader, List<Mutation.Maker> makers, String... kept)
      throws Exception {
    List<String> cases = new ArrayList<>(List.of(kept));
    for (int i = 0; i < CASES; i++) {
      cases.add(SEED + ":" + i);
    }
    Object valid = reader.read(folder);
    int refused = 0;
    int unchanged = 0;
    int changed = 0;
    ExecutorService executor = Executors.newSingleThreadExecutor();
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream(); // warnings
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      for (String one : cases) {
        int colon = one.indexOf(':');
        int i = Integer.parseInt(one.substring(colon + 1));
        Random random = new Random(Long.parseLong(one.substring(0, colon)) * 1_000_003 + i);
        Mutation mutation = makers.get(i % makers.size()).make(files.get(name), random);
        Files.write(folder.resolve(name), mutation.bytes());
        String which = String.format(Locale.ROOT, "%s, case %s (%s)", name, one, mutation.what());
        said.reset();
        Object read = read(executor, reader, which);
        if (read instanceof Refusal) {
          refused++;
        } else if (valid.equals(read)) {
          unchanged++;
        } else if (mutation.visible() && said.size() == 0) {
          fail(which + " is read without an error, but with another result");
        } else {
          changed++;
        }
      }
    } finally {
      System.setErr(err);
      executor.shutdownNow();
      Files.write(folder.resolve(name), files.get(name));
    }
    System.out.printf(
        Locale.ROOT,
        "fuzz %-32s %,7d cases: %,7d refused, %,7d read as before, %,7d read as what they say%n",
        name,
        cases.size(),
        refused,
        unchanged,
        changed);
  }

  private record Refusal(String message) {}

  private Object read(ExecutorService executor, Reader reader, String which) throws Exception {
    Future<Object> future = executor.submit(() -> reader.read(folder));
    try {
      return future.get(MOST_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      future.cancel(true);
      return fail(which + " takes more than " + MOST_SECONDS + " seconds");
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      String message = String.valueOf(cause.getMessage());
      boolean named =
          message.contains(folder.getFileName().toString())
              || files.keySet().stream().anyMatch(message::contains);
      if (!refusal.isInstance(cause)
          || !named
          || message.contains("\n")
          || message.length() > MOST_MESSAGE) {
        StringWriter trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        return fail(which + " ends in " + trace);
      }
      return new Refusal(message);
    }
  }
}
