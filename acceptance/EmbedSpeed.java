import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.tokentune.formats.ModelFiles;
import org.tokentune.text.SentenceEncoder;

/**
 * One side of embed-speed.sh: {@code MODEL TEXTS VECTORS}. Embeds the lines of TEXTS once for every
 * line of its input, prints the seconds, and at the end writes the vectors as floats.
 */
class EmbedSpeed {

  private EmbedSpeed() {}

  public static void main(String[] arguments) throws Exception {
    List<String> texts = Files.readAllLines(Path.of(arguments[1]));
    try (ModelFiles files = ModelFiles.open(Path.of(arguments[0]));
        SentenceEncoder encoder = SentenceEncoder.open(files, null);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in))) {
      List<float[]> vectors = encoder.embed(texts.subList(0, Math.min(texts.size(), 256)));
      System.out.println("ready");
      while (input.readLine() != null) {
        long start = System.nanoTime();
        vectors = encoder.embed(texts);
        System.out.printf(Locale.ROOT, "%.3f%n", (System.nanoTime() - start) / 1e9);
      }
      ByteBuffer bytes =
          ByteBuffer.allocate(vectors.size() * vectors.get(0).length * Float.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN);
      for (float[] vector : vectors) {
        for (float number : vector) {
          bytes.putFloat(number);
        }
      }
      Files.write(Path.of(arguments[2]), bytes.array());
    }
  }
}
