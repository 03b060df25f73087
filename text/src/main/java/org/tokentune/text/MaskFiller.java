package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.InferenceEngine;
import org.tokentune.train.StepInputs;

/**
 * Says which words stand for the masks in a text, as an encoder learned it (Devlin et al., 2019).
 */
public final class MaskFiller implements AutoCloseable {

  /** How BERT and RoBERTa write a mask. */
  private static final List<String> MASKS = List.of("[MASK]", "<mask>");

  private final TextTokenizer tokenizer;
  private final InferenceEngine engine;
  private final int maskId;

  private MaskFiller(
      TextTokenizer tokenizer, TransformerModel model, Parameters parameters, String origin) {
    this.tokenizer = tokenizer;
    maskId =
        tokenizer
            .mask()
            .orElseThrow(
                () ->
                    new BadFileException(
                        "The tokenizer of %s has no mask token; name a model that was trained with"
                            + " one.",
                        origin));
    engine = new InferenceEngine(model, parameters, List.of(ModelGraph.LOGITS));
  }

  /** A candidate word for a mask, with its probability. */
  public record Word(String text, double probability) {}

  /**
   * Opens a model.
   *
   * @throws BadInputException if it is not an encoder with its masked-language-model head
   */
  public static MaskFiller open(ModelFiles files) {
    required(files, "files");

    ModelConfig config = ModelConfig.read(files.config(), files.name()).withHeadOf(files.weights());
    TransformerModel model =
        config.model(new Head(Objectives.MASKED_LM, config.vocabulary(), Pooling.FIRST));
    Parameters parameters = ParameterLoader.load(model, files.weights());
    TextTokenizer tokenizer = TextTokenizer.open(files, config.maxPositions(), false);
    try {
      return new MaskFiller(tokenizer, model, parameters, files.name());
    } catch (BadFileException e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * Fills masks with a model as it is now, with its adapters.
   *
   * @param files that it was opened from
   */
  public static MaskFiller of(MaskedLanguageModel trained, ModelFiles files) {
    required(trained, "trained");
    required(files, "files");

    TextTokenizer tokenizer = TextTokenizer.open(files, trained.maxLength(), false);
    return new MaskFiller(tokenizer, trained.model(), trained.parameters(), files.name());
  }

  /**
   * The most probable words for each mask, {@code [MASK]} or {@code <mask>}, the best first.
   *
   * @param count words a mask
   * @throws BadInputException if there is no mask, or the text is too long
   */
  public List<List<Word>> fill(String text, int count) {
    required(text, "text");

    String written = text;
    String mask = tokenizer.written(maskId).strip();
    for (String other : MASKS) {
      written = written.replace(other, mask);
    }
    TextTokenizer.Tokens tokens = tokenizer.encode(written, null);
    int[] places =
        IntStream.range(0, tokens.ids().length).filter(i -> tokens.ids()[i] == maskId).toArray();
    if (places.length == 0) {
      throw new BadDataException(
          "There is no %s in \"%.60s\"; write it in place of the missing word.", mask, text);
    }
    MultiDataSet batch =
        TokenBatches.byLength(
                List.of(new TokenBatches.Row(tokens.ids(), tokens.typeIds(), null)),
                Objectives.MASKED_LM,
                1)
            .next();
    float[][] logits =
        engine
            .run(StepInputs.features(batch), row -> '"' + text + '"')
            .get(ModelGraph.LOGITS)
            .reshape(tokens.ids().length, -1)
            .toFloatMatrix();
    List<List<Word>> words = new ArrayList<>();
    for (int place : places) {
      words.add(best(logits[place], count));
    }
    return words;
  }

  private List<Word> best(float[] logits, int count) {
    double most = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElseThrow();
    double sum =
        IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i] - most)).sum();
    Stream<Integer> sorted =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparingDouble(id -> -logits[id]));
    return sorted
        .limit(count)
        .map(id -> new Word(tokenizer.decode(id).strip(), Math.exp(logits[id] - most) / sum))
        .toList();
  }

  @Override
  public void close() {
    engine.close();
    tokenizer.close();
  }
}
