import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadInputException;
import org.tokentune.export.GgufAdapter;
import org.tokentune.export.GgufExport;
import org.tokentune.export.GgufType;
import org.tokentune.formats.ModelFiles;

/** Exports what a file lists, a line each: model, adapter or -, type, output; see gguf.sh. */
public final class Exports {

  private Exports() {}

  public static void main(String[] arguments) throws Exception {
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      String[] words = line.split("\t", -1);
      try (ModelFiles files = ModelFiles.open(Path.of(words[0]))) {
        GgufType type = GgufType.valueOf(words[2].toUpperCase(java.util.Locale.ROOT));
        Path output = Path.of(words[3]);
        var said =
            words[1].equals("-")
                ? GgufExport.model(files, type, output)
                : GgufAdapter.write(files, Path.of(words[1]), type, output);
        said.forEach(System.out::println);
      } catch (BadInputException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }
}
