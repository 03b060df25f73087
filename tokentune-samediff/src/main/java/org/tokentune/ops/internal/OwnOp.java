package org.tokentune.ops.internal;

import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.CustomOpDescriptor;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A SameDiff op with its own name and gradient, executed by one of ND4J's native ops.
 *
 * <p>All state is in the integer and floating-point arguments, which survive cloning in {@code
 * createGradFunction}. The name must differ from the native op's: SameDiff clones ops by name, and
 * a shared name would restore the native class (and its gradient).
 */
public abstract class OwnOp extends DynamicCustomOp {

  /** For registration and cloning. */
  protected OwnOp() {}

  protected OwnOp(SameDiff sd, SDVariable... inputs) {
    super(null, sd, inputs);
  }

  // The two names are methods, not fields, because DynamicCustomOp's constructor reads them.

  @Override
  public abstract String opName();

  /** Name of the native op that executes this one. */
  protected abstract String nativeName();

  /** How the results may share memory with the inputs. */
  public Aliasing aliasing() {
    return Aliasing.NONE;
  }

  /** What the result is called in a report. */
  public String resultName() {
    return opName();
  }

  @Override
  public CustomOpDescriptor getDescriptor() {
    return Nd4j.getExecutioner().getCustomOperations().get(nativeName());
  }

  @Override
  public long opHash() {
    return getDescriptor().getHash();
  }

  @Override
  public int getNumOutputs() {
    return 1;
  }

  @Override
  public Map<String, Object> propertiesForFunction() {
    return Map.of();
  }

  @Override
  public void setPropertiesForFunction(Map<String, Object> properties) {
    // All state is in the arguments, which SameDiff stores itself.
  }

  @Override
  public List<DataType> calculateOutputDataTypes(List<DataType> inputs) {
    return List.of(inputs.get(0));
  }
}
