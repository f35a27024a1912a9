//! Holds.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub environment_id: Uuid,
    pub scope: String,
    pub target_id: Uuid,
    pub target_name: String,
    pub reason: String,
    pub held_by: Uuid,
    pub held_at: i64,
    pub lifted_by: Option<Uuid>,
    pub lifted_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
