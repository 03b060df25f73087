package org.tokentune.datasets;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objectives;
import org.tokentune.testing.Misuses;

/** What comes out of calls with data and tokenizers that make no sense. */
class MisuseTest {

  private static final Path TOKENIZER = Path.of("src/test/resources/tokenizer.json");
  private static final List<Example> ROWS =
      List.of(new Example("a good cat", "good"), new Example("a bad dog", "bad"));

  @TempDir private Path folder;

  private static TextTokenizer tokenizer(int longest) throws IOException {
    return TextTokenizer.open(Files.readAllBytes(TOKENIZER), "words", longest, true);
  }

  @Test
  void isRefused() throws IOException {
    Labels labels = Labels.of(Objectives.CLASSIFY, ROWS);
    Path nowhere = folder.resolve("nowhere.csv");
    Path table = Files.writeString(folder.resolve("table.csv"), "review,stars\ngood,5\n");
    Path image = Files.writeString(folder.resolve("cat.png"), "no table");
    TextTokenizer open = tokenizer(16);
    TextTokenizer closed = tokenizer(16);
    closed.close();
    closed.close();
    new Misuses(BadInputException.class)
        .refuses("new Example(null, ..)", "text", () -> new Example(null, "good"))
        .refuses("new Labels(null, ..)", "task", () -> new Labels(null, List.of("a", "b")))
        .refuses("new Labels(.., [])", "names", () -> new Labels(Objectives.CLASSIFY, List.of()))
        .refuses(
            "new Labels(.., [null])",
            "names",
            () -> new Labels(Objectives.CLASSIFY, Collections.singletonList(null)))
        .refuses(
            "Labels.of(.., unlabelled rows)",
            "label",
            () -> Labels.of(Objectives.CLASSIFY, List.of(new Example("a", null))))
        .refuses("Labels.of(null, ..)", "task", () -> Labels.of(null, ROWS))
        .refuses("DataSplit.of(null, ..)", "rows", () -> DataSplit.of(null, 0.1, 0.1, 1))
        .refuses("DataSplit.of(.., 1.5, ..)", "1.5", () -> DataSplit.of(ROWS, 1.5, 0, 1))
        .refuses("DataSplit.of(.., NaN, ..)", "NaN", () -> DataSplit.of(ROWS, Double.NaN, 0, 1))
        .refuses("DataSplit.of([], ..)", "rows", () -> DataSplit.of(List.of(), 0.1, 0, 1))
        .refuses("Split.drawn(.., -1, ..)", "-1", () -> Split.drawn(ROWS, -1, 1))
        .refuses(
            "Split.withTrainLimit(0, ..)", "0", () -> Split.drawn(ROWS, 0, 1).withTrainLimit(0, 1))
        .refuses("ClassWeights.parse(\"lots\")", "lots", () -> ClassWeights.parse("lots"))
        .refuses("ClassWeights.parse(null)", "text", () -> ClassWeights.parse(null))
        .refuses(
            "new ClassWeights(.., {good=NaN})",
            "NaN",
            () -> new ClassWeights(false, Map.of("good", Double.NaN)))
        .refuses("PromptTemplate.named(\"no\")", "no", () -> PromptTemplate.named("no"))
        .refuses(
            "TextFiles.read(null, ..)", "file", () -> TextFiles.read(null, Columns.DEFAULT, true))
        .refuses(
            "TextFiles.read(nowhere, ..)",
            "nowhere",
            () -> TextFiles.read(nowhere, Columns.DEFAULT, true))
        .refuses(
            "TextFiles.read(folder, ..)", "", () -> TextFiles.read(folder, Columns.DEFAULT, true))
        .refuses(
            "TextFiles.read(a picture)", "cat", () -> TextFiles.read(image, Columns.DEFAULT, true))
        .refuses(
            "TextFiles.read(.., unknown column)",
            "title",
            () -> TextFiles.read(table, new Columns(List.of("title"), "stars"), true))
        .refuses("SquadQuestion.read(nowhere)", "nowhere", () -> SquadQuestion.read(nowhere))
        .refuses("ChoiceQuestion.read(null)", "file", () -> ChoiceQuestion.read(null))
        .refuses("TextTokenizer.open(null, ..)", "files", () -> TextTokenizer.open(null, 8, true))
        .refuses(
            "TextTokenizer.open(damaged)",
            "words",
            () -> TextTokenizer.open(new byte[] {1, 2}, "words", 8, true))
        .refuses("TextTokenizer.open(.., longest 0)", "longest", () -> tokenizer(0))
        .refuses("TextTokenizer.open(.., longest -1)", "longest", () -> tokenizer(-1))
        .refuses("TextTokenizer.encode(null, null)", "text", () -> open.encode((String) null, null))
        .refuses(
            "TextTokenizer.encode(half a character)", "half", () -> open.encode("\ud83d", null))
        .refuses("TextTokenizer.encodePair(.., null)", "pair", () -> open.encodePair("a", null))
        .refuses(
            "TextTokenizer.encodeWords([null])", "words", () -> open.encodeWords(new String[1]))
        .refuses("TextTokenizer.encodePrompt(null)", "text", () -> open.encodePrompt(null))
        .refuses("TextTokenizer.decode(null)", "ids", () -> open.decode((int[]) null))
        .refuses("TextTokenizer.decode(-1)", "-1", () -> open.decode(-1))
        .refuses("TextTokenizer.encode after close()", "closed", () -> closed.encode("a", null))
        .refuses("TextTokenizer.decode after close()", "closed", () -> closed.decode(1))
        .refuses(
            "new TextBatches(.., batchSize 0, ..)",
            "batchSize",
            () -> new TextBatches(ROWS, labels, open, 0, 1))
        .refuses(
            "new TextBatches(null, ..)", "rows", () -> new TextBatches(null, labels, open, 2, 1))
        .refuses(
            "TokenBatches.byLength(.., batchSize -1)",
            "batchSize",
            () -> TokenBatches.byLength(List.of(), Objectives.CLASSIFY, -1))
        .refuses(
            "TokenBatches.byLength(null, ..)",
            "rows",
            () -> TokenBatches.byLength(null, Objectives.CLASSIFY, 2))
        .refuses(
            "TextBlocks.cut(.., length 0)",
            "Blocks of 0",
            () -> TextBlocks.cut(new int[] {1, 2}, 0))
        .refuses("TextBlocks.cut(null, ..)", "tokens", () -> TextBlocks.cut(null, 8))
        .check();
    open.close();
  }
}
