"""Looking into fitted models: what they attend to, and what their scores depend on."""

from glassclf.inspection.attention_weights import attention
from glassclf.inspection.attributions import attribution
from glassclf.inspection.confusion import learn_by_confusion
from glassclf.inspection.crossing import crossover
from glassclf.inspection.field_prediction import predict_field
from glassclf.inspection.first_batch import peek
from glassclf.inspection.graph_metrics import bond_metrics
from glassclf.inspection.layers import activations, filters
from glassclf.inspection.local_measures import mean_measures, particle_measures
from glassclf.inspection.measures import compare_measures
from glassclf.inspection.receptive_fields import receptive_field
from glassclf.inspection.regression import regression_report
from glassclf.inspection.transfer import transfer_matrix

__all__ = [
    "activations",
    "attention",
    "attribution",
    "bond_metrics",
    "compare_measures",
    "crossover",
    "filters",
    "learn_by_confusion",
    "mean_measures",
    "particle_measures",
    "peek",
    "predict_field",
    "receptive_field",
    "regression_report",
    "transfer_matrix",
]
