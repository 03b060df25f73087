package org.tokentune.objectives;

import java.util.Map;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.ops.Losses;
import org.tokentune.ops.TokenGather;
import org.tokentune.select.TokenSelector;

/**
 * Predicts the next token after every token: the label of a token is the number of the next one.
 */
final class CausalLanguageModeling extends TokenObjective {

  CausalLanguageModeling() {
    super("CAUSAL_LM");
  }

  @Override
  public String shortName() {
    return "lm";
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.VOCABULARY;
  }

  /** The labels of the next tokens; the last token of a text has none. */
  @Override
  public int[][] targets(INDArray labels, int length) {
    int[][] own = rows(labels);
    int[][] next = new int[own.length][];
    for (int row = 0; row < next.length; row++) {
      int tokens = own[row].length;
      next[row] = new int[tokens];
      System.arraycopy(own[row], 1, next[row], 0, tokens - 1);
      next[row][tokens - 1] = TokenSelector.NO_LABEL;
    }
    return next;
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable next = nextLabels(inputs);
    SDVariable loss = inputs.vocabularyLoss(next);
    return loss == null
        ? Losses.softmaxCrossEntropy(logits, inputs.outputs(), next, null, 0, inputs.kernelMode())
        : loss;
  }

  /** Labels of the tokens after the selected ones; the last token of a sequence has none. */
  private static SDVariable nextLabels(LossInputs inputs) {
    SDVariable labels = inputs.labels();
    SDVariable column = labels.get(SDIndex.all(), SDIndex.interval(0, 1));
    SDVariable none = inputs.sd().zerosLike(column).add(inputs.sd().constant(Losses.IGNORED));
    SDVariable longer = inputs.sd().concat(1, labels, none);
    return TokenGather.elements(
        longer, TokenGather.rowIds(longer, inputs.selected().add(inputs.sd().constant(1))));
  }

  /** Logits, one per word of the vocabulary for every token, are not scored. */
  @Override
  public boolean scoresLogits() {
    return false;
  }

  @Override
  public Tally tally(int outputs) {
    return new LossTally(this) {
      @Override
      public long add(INDArray labels, INDArray logits) {
        INDArray next = labels.get(NDArrayIndex.all(), NDArrayIndex.interval(1, labels.size(1)));
        return next.neq(TokenSelector.NO_LABEL).castTo(DataType.INT64).sumNumber().longValue();
      }
    };
  }

  @Override
  Map<String, String> architectures() {
    return Map.ofEntries(
        Map.entry("gpt2", "GPT2LMHeadModel"),
        Map.entry("llama", "LlamaForCausalLM"),
        Map.entry("mistral", "MistralForCausalLM"),
        Map.entry("qwen2", "Qwen2ForCausalLM"),
        Map.entry("qwen3", "Qwen3ForCausalLM"),
        Map.entry("smollm3", "SmolLM3ForCausalLM"),
        Map.entry("olmo2", "Olmo2ForCausalLM"),
        Map.entry("phi3", "Phi3ForCausalLM"),
        Map.entry("gemma2", "Gemma2ForCausalLM"),
        Map.entry("gemma3_text", "Gemma3ForCausalLM"),
        Map.entry("granite", "GraniteForCausalLM"),
        Map.entry("stablelm", "StableLmForCausalLM"));
  }

  @Override
  public String peftTaskType() {
    return "CAUSAL_LM";
  }
}
