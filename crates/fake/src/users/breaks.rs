//! Breaks on purpose, by which this project's tests prove that they notice them. Nothing here is for users.

use std::cell::Cell;

thread_local! {
    static BROKEN: Cell<Option<Break>> = const { Cell::new(None) };
}

/// Breaks the servers of this thread in one way, or mends them again.
pub fn set(broken: Option<Break>) {
    BROKEN.set(broken);
}

/// Whether the servers of this thread are broken in this way.
pub(crate) fn is_broken(broken: Break) -> bool {
    BROKEN.get() == Some(broken)
}

/// What is not as it should be.
#[expect(missing_docs, reason = "each says what is broken")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    ListIsNotLimited,
    PageBeginsAnew,
    ListOfAnOlderVersionIsTheLatest,
    RemainingItemsAreNotCounted,
    LabelsSelectNothing,
    FieldsSelectNothing,
    StaleUpdateIsTaken,
    NameIsTakenTwice,
    UnchangedObjectIsWritten,
    DryRunIsWritten,
    NewObjectKeepsItsStatus,
    UpdateTakesTheStatus,
    StatusTakesTheSpec,
    StatusCountsAsAGeneration,
    GenerationStays,
    UnknownFieldIsNotWarnedOf,
    UnknownFieldIsNotRefused,
    FinalizersAreIgnored,
    PropagationIsIgnored,
    PreconditionIsIgnored,
    FinalizersCanBeAddedInTheEnd,
    DeletionIsNotTold,
    DeletionHasTheOldVersion,
    ObjectThatLeavesASelectionIsModified,
    WatchBeginsOneEventLate,
    WatchIsNotSelective,
    InitialEventsHaveNoEnd,
    ConflictsAreForced,
    UpdateOwnsNothing,
    ScaleOwnsNothing,
    DefaultsOfDefinitionsAreMissing,
    StrategicMergeIsAMerge,
}

impl Break {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::ListIsNotLimited,
        Self::PageBeginsAnew,
        Self::ListOfAnOlderVersionIsTheLatest,
        Self::RemainingItemsAreNotCounted,
        Self::LabelsSelectNothing,
        Self::FieldsSelectNothing,
        Self::StaleUpdateIsTaken,
        Self::NameIsTakenTwice,
        Self::UnchangedObjectIsWritten,
        Self::DryRunIsWritten,
        Self::NewObjectKeepsItsStatus,
        Self::UpdateTakesTheStatus,
        Self::StatusTakesTheSpec,
        Self::StatusCountsAsAGeneration,
        Self::GenerationStays,
        Self::UnknownFieldIsNotWarnedOf,
        Self::UnknownFieldIsNotRefused,
        Self::FinalizersAreIgnored,
        Self::PropagationIsIgnored,
        Self::PreconditionIsIgnored,
        Self::FinalizersCanBeAddedInTheEnd,
        Self::DeletionIsNotTold,
        Self::DeletionHasTheOldVersion,
        Self::ObjectThatLeavesASelectionIsModified,
        Self::WatchBeginsOneEventLate,
        Self::WatchIsNotSelective,
        Self::InitialEventsHaveNoEnd,
        Self::ConflictsAreForced,
        Self::UpdateOwnsNothing,
        Self::ScaleOwnsNothing,
        Self::DefaultsOfDefinitionsAreMissing,
        Self::StrategicMergeIsAMerge,
    ];
}
